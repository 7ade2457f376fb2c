/**
 * Where a sidecar writes access logs that users send to `/dev/stdout` or `/dev/stderr`: into the file that its supervisor
 * opened for it, since its own two outputs are read by other programs.
 */
import { fstatSync } from "node:fs";
import { ACCESS_LOG_DESCRIPTOR, LOG_PREDECESSORS } from "../local/processes/log-predecessors.ts";
import { LogFile } from "../runtime/log-file.ts";
import type { OpenLog, OpenLogFile } from "../runtime/shared-logs.ts";
import type { LineSink } from "../telemetry/gathered-lines.ts";

/**
 * Empty for a sidecar that was given no such file.
 *
 * @param openFile absent: no other process writes there
 */
export function openLogStreams(
  openFile: OpenLogFile = (options) => new LogFile(options),
): ReadonlyMap<string, LineSink> {
  const descriptor = ACCESS_LOG_DESCRIPTOR;
  if (process.env[LOG_PREDECESSORS.variable] === undefined || !isRegularFile(descriptor)) {
    return new Map();
  }
  const predecessor = LOG_PREDECESSORS.descriptors.get(descriptor);
  const file = openFile({ descriptor, predecessor });
  process.once("exit", () => file.endNow());
  const sink = logFileSink(file);
  return new Map([
    ["/dev/stdout", sink],
    ["/dev/stderr", sink],
  ]);
}

/** What is lost is told by whoever gathers. */
function logFileSink(file: OpenLog): LineSink {
  return {
    write: (lines) => file.append(Buffer.from(`${lines}\n`)),
    writeNow: (lines) => file.writeNow(Buffer.from(`${lines}\n`)),
    close: () => file.flush(),
  };
}

function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // closed
  }
}
