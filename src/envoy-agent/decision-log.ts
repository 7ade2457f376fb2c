/** The pod's access log, where Envoy stands in it: the same entries that our own sidecar writes. */
import { join } from "node:path";
import { DECISION_PIPE } from "../envoy/decision-log.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { Allowance } from "../proxy/allowance.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { formatAccessLogEntry } from "../telemetry/access-log.ts";
import { type CapturedAddresses, decidedCall } from "./decided-call.ts";
import { type DecisionPipe, openDecisionPipe } from "./decision-pipe.ts";

export interface DecisionLogOptions {
  /** Of the agent: Envoy's working directory. */
  readonly folder: string;
  /** Which policies were in force: what was decided a moment before they changed is told by the new ones. */
  readonly views: Watched<WorkloadView | undefined>;
  /** Present where the kernel leads the pod's connections to Envoy. */
  readonly capture?: CapturedAddresses;
  /** Takes one line, without its line end. */
  readonly write: (line: string) => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** A second. Envoy is faster than its agent, and holds whatever the agent does not read: the others are read, and left out. */
const MAX_LINES = 10_000;

/** @returns undefined where Envoy cannot tell: it must not be asked to, then */
export function openDecisionLog({
  folder,
  views,
  capture,
  write,
  log,
  clock,
}: DecisionLogOptions): Promise<DecisionPipe | undefined> {
  const allowed = new Allowance({ perSecond: MAX_LINES, clock });
  const leftOut = new BoundedWarning(log, {
    message: "decisions are not logged: too many at once",
  });
  const take = (line: string): void => {
    if (allowed.take() === "spent") {
      leftOut.warn({ aSecond: MAX_LINES });
      return;
    }
    const entry = views.current && decidedCall(line, views.current, capture);
    if (entry !== undefined) write(formatAccessLogEntry(entry));
  };
  return openDecisionPipe({ path: join(folder, DECISION_PIPE), take, log });
}
