/**
 * Where a sidecar writes access logs that users send to `/dev/stdout` or `/dev/stderr`: into the file that its supervisor
 * opened for it, since its own two outputs are read by other programs.
 */
import { fstatSync } from "node:fs";
import { ACCESS_LOG_DESCRIPTOR, LOG_PREDECESSORS } from "../local/processes/log-predecessors.ts";
import type { Log } from "../runtime/log.ts";
import { LogFile, type LogTrouble } from "../runtime/log-file.ts";
import type { LineSink } from "../telemetry/gathered-lines.ts";

/** Empty for a sidecar that was given no such file. */
export function openLogStreams(log: Log): ReadonlyMap<string, LineSink> {
  const descriptor = ACCESS_LOG_DESCRIPTOR;
  if (process.env[LOG_PREDECESSORS.variable] === undefined || !isRegularFile(descriptor)) {
    return new Map();
  }
  const predecessor = LOG_PREDECESSORS.descriptors.get(descriptor);
  const sink = logFileSink(new LogFile({ descriptor, predecessor, onTrouble: tellTrouble(log) }));
  return new Map([
    ["/dev/stdout", sink],
    ["/dev/stderr", sink],
  ]);
}

function tellTrouble(log: Log): (trouble: LogTrouble) => void {
  return ({ type, ...fields }) =>
    log.warn(`the access log of your own format is ${type.replace("-", " ")}`, fields);
}

/** Gathered lines are one write into the page cache. */
function logFileSink(file: LogFile): LineSink {
  return {
    write: async (lines) => file.write(lines),
    writeNow: (lines) => file.write(lines),
    close: () => Promise.resolve(),
  };
}

function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // closed
  }
}
