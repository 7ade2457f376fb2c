/** Asks the policies of a view once more about a call that Envoy has judged, with what Envoy tells of it. */

import type { TrafficProtocol } from "../policy/authorization-rule.ts";
import {
  authorizeLocally,
  bindConnection,
  type CompiledAuthorization,
  compileAuthorization,
  findDelegations,
} from "../policy/authorize.ts";
import type { Decision, Delegation } from "../policy/decision.ts";
import type { Connection } from "../policy/traffic.ts";
import type { Traffic } from "../policy/traffic-attribute.ts";
import type { EffectiveAuthorization, Trust, WorkloadView } from "../policy/workload-view.ts";
import type { ToldCall } from "./told-call.ts";
import { withoutUntold } from "./untold.ts";

/** As policies call it: the application's, wherever connections are taken. */
export function portOf({ entry, localPort }: ToldCall, { inbound, gateway }: WorkloadView): number {
  const [, named] = /^inbound\|(\d{1,5})\|/.exec(entry.upstream_cluster ?? "") ?? [];
  if (named !== undefined) return Number(named);
  const places = [...inbound.ports, ...(gateway?.listeners ?? [])];
  return places.find(({ listen }) => listen.port === localPort)?.containerPort ?? localPort ?? 0;
}

export interface JudgedAgain {
  readonly decision: Decision;
  readonly delegations: readonly Delegation[];
}

type ByProtocol = Map<TrafficProtocol, CompiledAuthorization>;

/** By policies and what is trusted: both are the same objects in each view that has them unchanged. */
const compiled = new WeakMap<EffectiveAuthorization, WeakMap<Trust, ByProtocol>>();
const withoutAll = new WeakMap<EffectiveAuthorization, EffectiveAuthorization>();

/** Whether rules that ask for what Envoy does not tell lack it, or are as if they had it. */
type Untold = "lacking" | "as if it were told";

export function judgedAgain(
  call: ToldCall,
  view: WorkloadView,
  untold: Untold = "lacking",
): JudgedAgain {
  const { authorization } = view.inbound;
  const asked = untold === "lacking" ? authorization : withoutUntoldOf(authorization);
  const { entry, whole, caller, remoteAddress } = call;
  const [address, port] = splitAddress(entry.downstream_remote_address);
  const [own] = splitAddress(entry.downstream_local_address);
  const connection: Connection = {
    ...(caller !== null && { principal: caller }),
    sourceAddress: address,
    sourcePort: port,
    destinationAddress: own,
    destinationPort: portOf(call, view),
    ...(whole.requested_server_name !== null && { serverName: whole.requested_server_name }),
  };
  const isHttp = whole.method !== null;
  const protocol = isHttp ? "http" : "tcp";
  const bound = bindConnection(compiledFor(protocol, asked, view.trust), connection);
  const traffic: Traffic = isHttp
    ? {
        connection,
        method: whole.method ?? "",
        ...(whole.path !== null && { path: whole.path }),
        authority: whole.authority ?? undefined,
        remoteAddress: remoteAddress === "" ? address : remoteAddress,
        header: () => undefined,
      }
    : { connection, remoteAddress: address };
  return {
    decision: authorizeLocally(bound, traffic),
    delegations: findDelegations(bound, traffic),
  };
}

function withoutUntoldOf(authorization: EffectiveAuthorization): EffectiveAuthorization {
  const known = withoutAll.get(authorization) ?? withoutUntold(authorization);
  withoutAll.set(authorization, known);
  return known;
}

/** Compiled when it is first asked: most workloads carry one protocol alone. */
function compiledFor(
  protocol: TrafficProtocol,
  authorization: EffectiveAuthorization,
  trust: Trust,
): CompiledAuthorization {
  const byTrust = compiled.get(authorization) ?? new WeakMap<Trust, ByProtocol>();
  compiled.set(authorization, byTrust);
  const byProtocol: ByProtocol = byTrust.get(trust) ?? new Map();
  byTrust.set(trust, byProtocol);
  const known =
    byProtocol.get(protocol) ?? compileAuthorization(authorization, { protocol, trust });
  byProtocol.set(protocol, known);
  return known;
}

function splitAddress(text: string | null): readonly [address: string, port: number] {
  const [, address = "", port = "0"] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(text ?? "") ?? [];
  return [address, Number(port)];
}
