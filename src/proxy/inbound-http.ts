/** The inbound side's HTTP service: judges each request by the newest policy and sends it to the application. */

import type { SocketAddress } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import type { SpanSide } from "../telemetry/tracing/span-side.ts";
import type { FindApplication } from "./application-dial.ts";
import { applicationProtocol } from "./application-protocol.ts";
import { type CompiledView, inboundRules } from "./compiled-view.ts";
import { OpenedExchange, type Route, runSteps } from "./exchange.ts";
import type { ReceivedRequest } from "./http/received-message.ts";
import type { ConnectionPools } from "./http/upstream-connections-pools.ts";
import type { HttpService } from "./http-service.ts";
import type { InboundCall } from "./inbound-call.ts";
import { INBOUND_STEPS, type InboundExchange, type InboundRules } from "./inbound-steps.ts";
import { type HttpFraming, requestProtocol } from "./mesh-protocols.ts";
import { formatAddress, type Recorder } from "./recorder.ts";
import { SingleTarget } from "./single-target.ts";

export interface InboundHttpOptions {
  readonly compiled: Watched<CompiledView>;
  readonly pools: ConnectionPools;
  readonly application: FindApplication;
  readonly recorder: Recorder;
  readonly clock: Clock;
}

export function inboundHttpService(
  options: InboundHttpOptions,
): HttpService<InboundCall, InboundExchange> {
  const { compiled, recorder, clock } = options;
  return {
    judge(request, call) {
      const rules = inboundRules(compiled.current, call.port());
      const exchange = new ArrivedExchange(request, {
        call,
        rules,
        startedAt: clock.now(),
        spanSide: recorder.spanSide("destination"),
      });
      const result = runSteps(INBOUND_STEPS, exchange);
      return {
        exchange,
        verdict:
          result === "continue" ? { route: applicationRoute(exchange, call, options) } : result,
        afterwards: mayStay(call, exchange) ? "keep" : "close",
      };
    },
    record: (exchange, outcome, { facts }) => recorder.request(facts, exchange, outcome),
    recordBroken: (problem, { facts }) => recorder.brokenRequest(facts, problem),
    answerFields: () => recorder.answerFields("destination"),
  };
}

interface Arrival {
  readonly call: InboundCall;
  readonly rules: InboundRules;
  readonly startedAt: Date;
  readonly spanSide: SpanSide | undefined;
}

class ArrivedExchange extends OpenedExchange implements InboundExchange {
  readonly connection: InboundCall["connection"];
  readonly authorization: InboundCall["authorization"];
  readonly peer: InboundCall["peer"];
  readonly rootsPem: readonly string[];
  readonly rules: InboundRules;

  constructor(request: ReceivedRequest, { call, rules, startedAt, spanSide }: Arrival) {
    const protocol = requestProtocol(request.protocol, call.negotiated);
    super(request, { startedAt, protocol, spanSide });
    this.connection = call.connection;
    this.authorization = call.authorization;
    this.peer = call.peer;
    this.rootsPem = call.rootsPem;
    this.rules = rules;
  }
}

function applicationRoute(
  { protocol, upgrade }: InboundExchange,
  call: InboundCall,
  { pools, application }: Pick<InboundHttpOptions, "pools" | "application">,
): Route {
  const port = call.port();
  const speaks = upgrade === "websocket" ? "HTTP/1.1" : applicationProtocol(port, protocol);
  const framing = speaks === "HTTP/2" ? "HTTP/2" : "HTTP/1";
  const known = call.targets.get(port)?.[framing];
  if (known !== undefined) return { scheme: "http", attempts: new SingleTarget(known) };
  const { address, dial } = application(call);
  const key = applicationKey(address, framing);
  const target = { address, connections: pools.connections(key, { dial, unnegotiated: framing }) };
  call.targets.set(port, { ...call.targets.get(port), [framing]: target });
  return { scheme: "http", attempts: new SingleTarget(target) };
}

/** By which the connections to an application are known. */
export function applicationKey(address: SocketAddress, framing: HttpFraming): string {
  return `${framing} ${formatAddress(address)}`;
}

/** A peer verified against other roots than today's has to come again, and so has one whose certificate, or ours, ends soon. */
function mayStay(
  { peer, rootsPem, lastAnswerFrom }: InboundCall,
  { rules, startedAt }: InboundExchange,
): boolean {
  if (peer === undefined) return true;
  if (lastAnswerFrom !== undefined && startedAt >= lastAnswerFrom) return false;
  return rules.mutualTls.mode !== "DISABLE" && rules.roots.same(rootsPem);
}
