/**
 * The log of a container `istio-proxy`: what its sidecar says of itself, and of requests and connections, in the words
 * that people look for in Istio's.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { predecessorName } from "../../processes/log-predecessors.ts";
import type { LogRun } from "./log-runs.ts";
import type { LogLine, LogSource } from "./log-source.ts";
import { openOwnLog, type TranslateLine } from "./own-log.ts";

/** One line of a sidecar's own access log, in Istio's words. */
export interface ToldCall {
  /** ISO 8601. */
  readonly time: string;
  /** As Istio's access log has it by default. */
  readonly access: string;
  /** What Envoy says of it besides, at the level debug. */
  readonly remarks: readonly string[];
}

/** @returns undefined for what is no line of that log */
export type TellCall = (line: string) => ToldCall | undefined;

export function openProxyLog(
  folder: string,
  { run, tell }: { readonly run: LogRun; readonly tell: TellCall },
): LogSource {
  const configured = join(folder, "istio-access.log");
  const timed = inOrder(lineTime);
  return openOwnLog({
    run,
    files: [
      { path: join(folder, "sidecar.log"), translate: timed },
      { path: configured, translate: inOrder(accessTime) },
      {
        path: join(folder, "access.log"),
        translate: translator(tell, () => isUsed(configured)),
      },
    ],
  });
}

/** Of the control plane. */
export function openControlPlaneLog(path: string, run: LogRun): LogSource {
  return openOwnLog({ run, files: [{ path, translate: inOrder(lineTime) }] });
}

/** Where users configured an access log, it says what they want of every call. */
function translator(tell: TellCall, isConfigured: () => boolean): TranslateLine {
  let at = 0;
  return (line) => {
    const told = tell(line.toString("utf8"));
    if (told === undefined) return [];
    at = Math.max(at, parsed(told.time) ?? at); // a call is told when it ends, with the time of its start
    const lines = isConfigured() ? told.remarks : [...told.remarks, told.access];
    return lines.map((text) => ({ at, text: Buffer.from(`${text}\n`) }));
  };
}

/** Times never go back; a line without one is of the time of the one before it. */
function inOrder(timeOf: (line: string) => number | undefined): TranslateLine {
  let last = 0;
  return (text): readonly LogLine[] => {
    last = Math.max(last, timeOf(text.toString("latin1", 0, 200)) ?? last);
    return [{ at: last, text }];
  };
}

/** `{"time":"2026-…Z", …` */
function lineTime(line: string): number | undefined {
  return parsed(/^\{"time":"([^"]+)"/.exec(line)?.[1]);
}

/** In Istio's formats a line begins with its time, or has it as `start_time`. */
function accessTime(line: string): number | undefined {
  return parsed(/^\[([^\]]+)\]|"start_time":"([^"]+)"/.exec(line)?.slice(1).join(""));
}

function parsed(time: string | undefined): number | undefined {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? undefined : at;
}

function isUsed(file: string): boolean {
  return [file, predecessorName(file)].some(
    (path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0,
  );
}
