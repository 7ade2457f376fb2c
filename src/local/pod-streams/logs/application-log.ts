/** The log of an application's container: what its program wrote, in one run. */
import { beginOfLastLines, GrowingFile } from "./growing-file.ts";
import type { GrowthMark, LogRun } from "./log-runs.ts";
import type { LogLine, LogSource } from "./log-source.ts";

export interface ApplicationLogOptions {
  readonly path: string;
  readonly run: LogRun;
  /** Asked as lines come. */
  readonly marks: () => readonly GrowthMark[];
  /** Milliseconds since 1970; lines before it are left out as far as that is known. */
  readonly since: number | undefined;
  /** Absent: all lines there are. */
  readonly tailLines: number | undefined;
  readonly now: () => number;
}

export async function openApplicationLog(options: ApplicationLogOptions): Promise<LogSource> {
  const { path, run, since, tailLines, marks, now } = options;
  const earliest = since === undefined ? run.start : Math.max(run.start, sizeAt(marks(), since));
  const until = run.end;
  const from =
    tailLines === undefined
      ? earliest
      : await beginOfLastLines(path, {
          lines: tailLines,
          from: earliest,
          ...(until !== undefined && { until }),
        });
  const file = new GrowingFile({ path, from, until });
  return {
    async *readOn(): AsyncGenerator<readonly LogLine[]> {
      for await (const lines of file.readOn()) {
        const times = marks();
        yield lines.map(({ text, end }) => ({ text, at: timeOf(times, end) ?? now() }));
      }
    },
    lastLine() {
      const last = file.lastLine();
      return last && { text: last.text, at: timeOf(marks(), last.end) ?? now() };
    },
    close: () => file.close(),
  };
}

/** What the file had at most grown to by then. */
function sizeAt(marks: readonly GrowthMark[], time: number): number {
  return marks.findLast((mark) => mark.time < time)?.size ?? 0;
}

/** By when the file had grown so far; undefined: it has only just. */
function timeOf(marks: readonly GrowthMark[], end: number): number | undefined {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.size ?? 0) < end) low = middle + 1;
    else high = middle;
  }
  return marks[low]?.time;
}
