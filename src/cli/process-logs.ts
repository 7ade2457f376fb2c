/**
 * Where a process of the mesh writes its logs: into the bounded files that its supervisor opened for it, or, started by
 * hand, wherever its output goes.
 */
import { fstatSync } from "node:fs";
import { ACCESS_LOG_DESCRIPTOR, LOG_PREDECESSORS } from "../local/processes/log-predecessors.ts";
import type { Clock } from "../runtime/clock.ts";
import { GatheredOutput } from "../runtime/gathered-output.ts";
import type { LogLine } from "../runtime/line-bytes.ts";
import type { LogTrouble } from "../runtime/line-losses.ts";
import { createLog, DEFAULT_LOG_LEVEL, type Log, type LogLevel } from "../runtime/log.ts";
import { LogFile, type LogFileOptions } from "../runtime/log-file.ts";
import type { OpenLog, OpenLogFile } from "../runtime/shared-logs.ts";
import { WatchedValue } from "../runtime/watched.ts";

export interface ProcessLogs {
  /** The operational log: standard error. */
  readonly log: Log;
  /** How much is written there: whoever sets it changes that at once. */
  readonly logLevel: WatchedValue<LogLevel>;
  /** @param line of the access log: standard output */
  readonly writeOutput: (line: LogLine) => void;
}

/**
 * @param onTrouble hears in words when the logs cannot be written; they tell of it themselves once they can be again
 * @param openFile absent: no other process writes there
 */
export function openProcessLogs(
  clock: Clock,
  onTrouble?: (text: string) => void,
  openFile: OpenLogFile = openLogFile,
): ProcessLogs {
  const tell = (name: string) => (trouble: LogTrouble) => {
    if (trouble.type === "not-written")
      onTrouble?.(`${name} cannot be written: ${trouble.problem}`);
    else log.warn(`${name} could not be written`, { lostLines: trouble.lostLines });
  };
  const logLevel = new WatchedValue<LogLevel>(DEFAULT_LOG_LEVEL);
  const errors = { stream: process.stderr, openFile, onTrouble: tell("the log") };
  const output = { stream: process.stdout, openFile, onTrouble: tell("the access log") };
  const log = createLog(lineWriter(errors), clock, logLevel);
  return { log, logLevel, writeOutput: outputWriter(output) };
}

const openLogFile: OpenLogFile = (options) => new LogFile(options);

interface Destination {
  readonly stream: NodeJS.WriteStream & { readonly fd: number };
  readonly openFile: OpenLogFile;
  readonly onTrouble: (trouble: LogTrouble) => void;
}

/** One line at a time, at once: what a process says before it fails must be there. */
function lineWriter(destination: Destination): (line: string) => void {
  const file = logFileOf(destination);
  if (file === undefined) return streamWriter(destination);
  process.once("exit", () => file.endNow());
  return (line) => file.write(line);
}

/** Many lines together, a moment later: one for each request is written. */
function outputWriter(destination: Destination): (line: LogLine) => void {
  const file = logFileOf(destination);
  if (file === undefined) return streamWriter(destination);
  const output = new GatheredOutput({ file, onTrouble: destination.onTrouble });
  return (line) => output.add(line);
}

function streamWriter({ stream }: Destination): (line: LogLine) => void {
  return (line) => void stream.write(`${line}\n`);
}

/** @returns undefined for what is no file */
function logFileOf({ stream, openFile, onTrouble }: Destination): OpenLog | undefined {
  const descriptor = stream.fd;
  stream.on("error", () => undefined); // the disk is full, or whoever read it is gone
  if (!isRegularFile(descriptor)) return undefined;
  return openFile({ descriptor, predecessor: predecessorOf(descriptor), onTrouble });
}

/** Those of this process that are files, each with its predecessor, where it was given one. */
export function boundedLogs(): readonly Pick<LogFileOptions, "descriptor" | "predecessor">[] {
  const named = process.env[LOG_PREDECESSORS.variable] !== undefined;
  return [...LOG_PREDECESSORS.descriptors.keys()]
    .filter(
      (descriptor) => (named || descriptor !== ACCESS_LOG_DESCRIPTOR) && isRegularFile(descriptor),
    )
    .map((descriptor) => ({ descriptor, predecessor: predecessorOf(descriptor) }));
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
