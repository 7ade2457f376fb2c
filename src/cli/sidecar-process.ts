/** What a sidecar's process writes to, and by whom it is asked: alone, or as one of several that share ports and logs. */
import { workerPlace } from "../proxy/workers/worker-place.ts";
import { openWorkerSide, tellFullLog, type WorkerSide } from "../proxy/workers/worker-side.ts";
import { systemClock } from "../runtime/clock.ts";
import { logWith } from "../runtime/log.ts";
import { SharedLogs } from "../runtime/shared-logs.ts";
import type { LineSink } from "../telemetry/gathered-lines.ts";
import { openLogStreams } from "./log-streams.ts";
import { openProcessLogs, type ProcessLogs } from "./process-logs.ts";
import { requestStop } from "./stop-signal.ts";

export interface SidecarProcess extends ProcessLogs {
  readonly logStreams: ReadonlyMap<string, LineSink>;
  /** Absent: it is the whole sidecar. */
  readonly worker?: WorkerSide;
}

export function openSidecarProcess(): SidecarProcess {
  const place = workerPlace();
  if (place === undefined) return { ...openProcessLogs(systemClock), logStreams: openLogStreams() };
  const logs = new SharedLogs(tellFullLog);
  const opened = openProcessLogs(systemClock, undefined, logs.open);
  const log = logWith(opened.log, { process: place.number });
  const onStop = (): void => requestStop("holder of the ports");
  const worker = openWorkerSide({ place, onStop, logs, log });
  return { ...opened, log, logStreams: openLogStreams(logs.open), worker };
}
