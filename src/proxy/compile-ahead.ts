/**
 * Compiles the policies of a view before it comes into force, in turns: thousands of new rules at once would stop what the
 * sidecar carries for as long as they take. Until all is done the view before stays in force, whole.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TrafficProtocol } from "../policy/authorization-rule.ts";
import { compileInSteps } from "../policy/authorize.ts";
import { judgedProtocols } from "../policy/judged-protocols.ts";
import type { WorkloadView } from "../policy/workload-view.ts";

/** Of a turn. */
const TURN_MS = 10;

/**
 * What was compiled for an earlier view is not compiled again: a change of few policies needs no second turn, and a view is in
 * force as soon as without this.
 *
 * @param signal ends it early
 */
export async function compileAhead(
  { inbound, trust }: WorkloadView,
  signal: AbortSignal,
): Promise<void> {
  const protocols = new Set<TrafficProtocol>(["http"]);
  for (const { protocol } of inbound.ports)
    for (const judgedAs of judgedProtocols(protocol)) protocols.add(judgedAs);
  let turnEnds = performance.now() + TURN_MS;
  for (const protocol of protocols) {
    for (const _step of compileInSteps(inbound.authorization, { protocol, trust })) {
      if (performance.now() < turnEnds) continue;
      await nextTurn();
      if (signal.aborted) return;
      turnEnds = performance.now() + TURN_MS;
    }
  }
}
