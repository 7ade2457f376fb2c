/** Tells of every decision that sidecars write from now on, in the order of their time. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Workload } from "../../policy/workload.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";

const LOOK_AGAIN_MS = 250;
/** Of one look; the rest is read at the next. */
const MAX_BYTES = 1_048_576;

export interface Followed {
  /** Asked again and again: pods come and go. */
  readonly workloads: () => readonly Workload[];
  readonly logs: (workload: Workload) => string;
}

export interface Told {
  readonly entry: AccessLogEntry;
  readonly judge: Workload;
}

/** Resolves when `signal` aborts. What the logs already hold is not told. */
export async function followDecisions(
  { workloads, logs }: Followed,
  { tell, signal }: { readonly tell: (told: Told) => void; readonly signal: AbortSignal },
): Promise<void> {
  const ends = new Map<string, number>();
  const fileOf = (workload: Workload): string => join(logs(workload), "access.log");
  for (const workload of workloads()) ends.set(fileOf(workload), await sizeOf(fileOf(workload)));
  while (!signal.aborted) {
    const told = await Promise.all(
      workloads().map(async (judge): Promise<Told[]> => {
        const { lines, end } = await readFrom(fileOf(judge), ends.get(fileOf(judge)) ?? 0);
        ends.set(fileOf(judge), end);
        return lines.map((line) => ({ entry: JSON.parse(line) as AccessLogEntry, judge }));
      }),
    );
    for (const one of told.flat().filter(isDecision).sort(byTime)) tell(one);
    await pause(signal);
  }
}

const isDecision = ({ entry }: Told): boolean => entry.decision !== null;

const byTime = ({ entry: a }: Told, { entry: b }: Told): number =>
  a.start_time < b.start_time ? -1 : Number(a.start_time > b.start_time);

/** Whole lines after `start`; a file that has become shorter is read from its beginning. */
async function readFrom(
  file: string,
  start: number,
): Promise<{ readonly lines: readonly string[]; readonly end: number }> {
  const size = await sizeOf(file);
  const from = size < start ? 0 : start;
  if (size === from) return { lines: [], end: from };
  const handle = await open(file, "r");
  try {
    const buffer = Buffer.alloc(Math.min(size - from, MAX_BYTES));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    const end = buffer.subarray(0, bytesRead).lastIndexOf("\n") + 1;
    const lines = buffer.toString("utf8", 0, end).split("\n");
    return { lines: lines.filter((line) => line.startsWith("{")), end: from + end };
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
