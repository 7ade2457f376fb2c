/** Answers what other commands ask of the control plane over its socket. */
import { readPluggedAuthority } from "../ca/read-plugged-authority.ts";
import { concealedView } from "../policy/concealed-view.ts";
import type { GlobalCounter } from "../policy/global-limit-descriptor.ts";
import type { LimitLeft } from "../policy/rate-limits/limit-left.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { ProxyStreamStatus } from "./aggregated-discovery/proxy-stream-status.ts";
import type { AuthorityOperations } from "./authority-operations.ts";
import type { AutomaticRotation } from "./automatic-rotation.ts";
import type {
  AuthorityStepReply,
  AuthorityStepRequest,
  ControlReply,
  ControlRequest,
  ProxyStatus,
} from "./control-socket-messages.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import type { KeySetFacts } from "./key-sets/key-set-facts.ts";
import type { RemoteClustersOverview } from "./remote-cluster-state.ts";
import type { RootRenewal } from "./root-renewal.ts";

export interface ControlRequestContext {
  readonly operations: AuthorityOperations;
  /** Absent without a folder of a custom authority. */
  readonly automatic?: AutomaticRotation | undefined;
  /** Absent where roots do not renew themselves. */
  readonly renewal?: Pick<RootRenewal, "doing" | "standstill"> | undefined;
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly remoteClusters: () => RemoteClustersOverview;
  readonly subscribers: () => readonly SubscriberStatus[];
  readonly proxies: () => readonly ProxyStreamStatus[];
  /** By `namespace/pod`. */
  readonly views: () => ReadonlyMap<string, WorkloadView>;
  readonly tokenKeys: (sources: readonly string[]) => readonly KeySetFacts[];
  /** Asking takes nothing; null: there is no such limit. */
  readonly limitsLeft: (
    counters: readonly GlobalCounter[],
  ) => Promise<readonly (LimitLeft | null)[]>;
  readonly clock: Clock;
}

export async function answerControlRequest(
  request: ControlRequest,
  context: ControlRequestContext,
): Promise<ControlReply> {
  const { operations, automatic, renewal, metrics, remoteClusters } = context;
  switch (request.type) {
    case "ca-status": {
      const { doing, standstill: renewalStandstill } = renewal ?? {};
      const told = { custom: automatic?.custom, renewal: doing, renewalStandstill };
      return { type: "ca-status", status: operations.overview(told) };
    }
    case "metrics":
      return { type: "metrics", text: await metrics() };
    case "remote-clusters":
      return { type: "remote-clusters", overview: remoteClusters() };
    case "proxy-status":
      return { type: "proxy-status", proxies: proxyStatuses(context) };
    case "view": {
      const view = context.views().get(request.pod);
      return { type: "view", view: view === undefined ? null : concealedView(view) };
    }
    case "token-keys":
      return { type: "token-keys", sets: context.tokenKeys(request.sources) };
    case "limits-left":
      return await tellLeft(request.counters, context);
    case "ca-step":
      return await takeStep(request, context);
  }
}

/** What a pod's Envoy and gRPC programs have stands with the subscription of its proxy, or for itself where it has none. */
function proxyStatuses({ subscribers, proxies }: ControlRequestContext): readonly ProxyStatus[] {
  const envoys = new Map<string, ProxyStreamStatus>();
  for (const proxy of proxies()) {
    const before = envoys.get(proxy.pod)?.types ?? [];
    envoys.set(proxy.pod, { ...proxy, types: [...before, ...proxy.types] });
  }
  const followed = subscribers().map((subscriber) => {
    const envoy = envoys.get(subscriber.name);
    return { ...proxyStatus(subscriber), ...(envoy && { envoy: envoy.types }) };
  });
  const pods = new Set(followed.map(({ pod }) => pod));
  const alone = [...envoys.values()].filter(({ pod }) => !pods.has(pod));
  return [
    ...followed,
    ...alone.map(({ pod, remoteAddress, types }) => ({
      pod,
      address: remoteAddress,
      envoy: types,
    })),
  ];
}

function proxyStatus(subscriber: SubscriberStatus): ProxyStatus {
  const { name, remoteAddress, versionSent, versionAcked, nackedError } = subscriber;
  return {
    pod: name,
    address: remoteAddress,
    ...(versionSent !== undefined && { versionSent }),
    ...(versionAcked !== undefined && { versionAcked }),
    ...(nackedError !== undefined && { nackedError }),
  };
}

/** That nobody can say is an answer, too. */
async function tellLeft(
  counters: readonly GlobalCounter[],
  { limitsLeft }: ControlRequestContext,
): Promise<ControlReply> {
  try {
    return { type: "limits-left", left: await limitsLeft(counters) };
  } catch (error) {
    if (error instanceof HauberkError) return { type: "refused", problem: describeError(error) };
    throw error;
  }
}

async function takeStep(
  { step, force, from }: AuthorityStepRequest,
  { operations, automatic, clock }: ControlRequestContext,
): Promise<AuthorityStepReply> {
  const gate = force ? "forced" : "ask";
  const folder = automatic?.custom.directory;
  if (step === "prepare" && folder !== undefined && from !== folder)
    return {
      type: "refused",
      problem: `the mesh takes its authority from ${folder}: put the new one there, or prepare it with --from ${folder}`,
    };
  try {
    const authority =
      from === undefined || step !== "prepare"
        ? undefined
        : await readPluggedAuthority(from, { now: clock.now() });
    return await operations.take({ step, gate, authority, by: "a person" });
  } catch (error) {
    if (error instanceof HauberkError) return { type: "refused", problem: describeError(error) };
    throw error;
  }
}
