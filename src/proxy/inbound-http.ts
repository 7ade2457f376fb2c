/** The inbound side's HTTP service: judges each request by the newest policy and sends it to the application. */
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import type { FindApplication } from "./application-dial.ts";
import { type CompiledView, inboundRules } from "./compiled-view.ts";
import { openExchange, type Route, runSteps } from "./exchange.ts";
import type { HttpService } from "./http-front.ts";
import { type InboundCall, inboundCluster } from "./inbound-call.ts";
import { INBOUND_STEPS, type InboundExchange } from "./inbound-steps.ts";
import { formatAddress, type Recorder } from "./recorder.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

export interface InboundHttpOptions {
  readonly compiled: Watched<CompiledView>;
  readonly pool: UpstreamPool;
  readonly application: FindApplication;
  readonly recorder: Recorder;
  readonly clock: Clock;
}

export function inboundHttpService(
  options: InboundHttpOptions,
): HttpService<InboundCall, InboundExchange> {
  const { compiled, recorder, clock } = options;
  return {
    judge(head, call) {
      const exchange: InboundExchange = {
        ...openExchange(head, clock.now()),
        connection: call.connection,
        authorization: call.authorization,
        peer: call.peer,
        rootsPem: call.rootsPem,
        rules: inboundRules(compiled.current, call.port()),
      };
      const result = runSteps(INBOUND_STEPS, exchange);
      return {
        exchange,
        verdict: result === "continue" ? { route: applicationRoute(call, options) } : result,
        afterwards: mayStay(call, exchange) ? "keep" : "close",
      };
    },
    record: (exchange, outcome, { facts }) => recorder.request(facts, exchange, outcome),
    recordBroken: (problem, status, { facts }) =>
      recorder.brokenRequest(facts, { problem, status }),
  };
}

function applicationRoute(
  call: InboundCall,
  { pool, application }: Pick<InboundHttpOptions, "pool" | "application">,
): Route {
  const { address, dial } = application(call);
  const targets = [{ address, agent: pool.agent(formatAddress(address), dial) }];
  return { cluster: inboundCluster(call.port()), targets, persistence: "once" };
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
