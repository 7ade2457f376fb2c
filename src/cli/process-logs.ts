/**
 * Where a process of the mesh writes its logs: into the bounded files that its supervisor opened for it, or, started by
 * hand, wherever its output goes.
 */
import { fstatSync } from "node:fs";
import { LOG_PREDECESSORS } from "../local/processes/log-predecessors.ts";
import type { Clock } from "../runtime/clock.ts";
import { createLog, DEFAULT_LOG_LEVEL, type Log, type LogLevel } from "../runtime/log.ts";
import { LogFile, type LogTrouble } from "../runtime/log-file.ts";
import { WatchedValue } from "../runtime/watched.ts";

export interface ProcessLogs {
  /** The operational log: standard error. */
  readonly log: Log;
  /** How much is written there: whoever sets it changes that at once. */
  readonly logLevel: WatchedValue<LogLevel>;
  /** @param line of the access log: standard output */
  readonly writeOutput: (line: string) => void;
}

/** @param onTrouble hears in words when the logs cannot be written; they tell of it themselves once they can be again */
export function openProcessLogs(clock: Clock, onTrouble?: (text: string) => void): ProcessLogs {
  const tell = (name: string) => (trouble: LogTrouble) => {
    if (trouble.type === "not-written")
      onTrouble?.(`${name} cannot be written: ${trouble.problem}`);
    else log.warn(`${name} could not be written`, { lostLines: trouble.lostLines });
  };
  const logLevel = new WatchedValue<LogLevel>(DEFAULT_LOG_LEVEL);
  const log = createLog(lineWriter(process.stderr, tell("the log")), clock, logLevel);
  return { log, logLevel, writeOutput: lineWriter(process.stdout, tell("the access log")) };
}

function lineWriter(
  stream: NodeJS.WriteStream & { readonly fd: number },
  onTrouble: (trouble: LogTrouble) => void,
): (line: string) => void {
  const descriptor = stream.fd;
  stream.on("error", () => undefined); // the disk is full, or whoever read it is gone
  if (isRegularFile(descriptor)) {
    const predecessor = predecessorOf(descriptor);
    const file = new LogFile({ descriptor, predecessor, onTrouble });
    return (line) => file.write(line);
  }
  return (line) => void stream.write(`${line}\n`);
}

function predecessorOf(descriptor: number): number | undefined {
  const named = process.env[LOG_PREDECESSORS.variable] !== undefined;
  const predecessor = LOG_PREDECESSORS.descriptors.get(descriptor);
  return named && predecessor !== undefined && isRegularFile(predecessor) ? predecessor : undefined;
}

function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // closed
  }
}
