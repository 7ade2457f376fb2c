/** The pod's access log, where Envoy stands in it: the same entries that our own sidecar writes. */
import { join } from "node:path";
import { DECISION_PIPE } from "../envoy/decision-log.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { formatAccessLogEntry } from "../telemetry/access-log.ts";
import { decidedCall } from "./decided-call.ts";
import { type DecisionPipe, openDecisionPipe } from "./decision-pipe.ts";

export interface DecisionLogOptions {
  /** Of the agent: Envoy's working directory. */
  readonly folder: string;
  /** Which policies were in force: what was decided a moment before they changed is told by the new ones. */
  readonly views: Watched<WorkloadView | undefined>;
  /** Takes one line, without its line end. */
  readonly write: (line: string) => void;
  readonly log: Log;
}

/** @returns undefined where Envoy cannot tell: it must not be asked to, then */
export function openDecisionLog({
  folder,
  views,
  write,
  log,
}: DecisionLogOptions): Promise<DecisionPipe | undefined> {
  const take = (line: string): void => {
    const entry = views.current && decidedCall(line, views.current);
    if (entry !== undefined) write(formatAccessLogEntry(entry));
  };
  return openDecisionPipe({ path: join(folder, DECISION_PIPE), take, log });
}
