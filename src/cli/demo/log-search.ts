/** Finds what a sidecar wrote about one call: the proof behind every row of the demo. */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";

const LOOK_AGAIN_MS = 20;

/** A line of a sidecar's operational log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface LineSearch<T> {
  readonly matches: (line: T) => boolean;
  readonly withinMs: number;
}

/** @returns the first line that matches; undefined when none came in time */
export async function findLogLine<T extends AccessLogEntry | LogLine>(
  file: string,
  { matches, withinMs }: LineSearch<T>,
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = (await readLines<T>(file)).find(matches);
    if (found !== undefined || performance.now() > deadline) return found;
    await delay(LOOK_AGAIN_MS);
  }
}

async function readLines<T>(file: string): Promise<T[]> {
  const text = await readFile(file, "utf8");
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as T);
}
