/** The log of one of our own programs: several files whose lines have times, told as one. */
import { predecessorName } from "../../processes/log-predecessors.ts";
import { GrowingFile } from "./growing-file.ts";
import type { LogRun } from "./log-runs.ts";
import type { LogLine, LogSource } from "./log-source.ts";

/** What becomes of one line of a file: none, or several. */
export type TranslateLine = (line: Buffer) => readonly LogLine[];

export interface OwnLogFile {
  readonly path: string;
  readonly translate: TranslateLine;
}

export interface OwnLogOptions {
  readonly files: readonly OwnLogFile[];
  /** In milliseconds since 1970. */
  readonly run: LogRun;
}

export function openOwnLog({ files, run }: OwnLogOptions): LogSource {
  const opened = files.map(({ path, translate }) => ({
    older: new GrowingFile({ path: predecessorName(path) }),
    newer: new GrowingFile({ path }),
    translate,
  }));
  let isFirst = true;
  const isOfRun = ({ at }: LogLine): boolean =>
    at >= run.start && at < (run.end ?? Number.POSITIVE_INFINITY);
  return {
    async *readOn() {
      const older = isFirst;
      isFirst = false;
      const sources = opened.map((one) => linesOf(one, older));
      for await (const lines of merged(sources)) yield lines.filter(isOfRun);
    },
    lastLine: () => undefined,
    async close() {
      await Promise.all(opened.flatMap(({ older, newer }) => [older.close(), newer.close()]));
    },
  };
}

async function* linesOf(
  {
    older,
    newer,
    translate,
  }: {
    readonly older: GrowingFile;
    readonly newer: GrowingFile;
    readonly translate: TranslateLine;
  },
  withOlder: boolean,
): AsyncGenerator<readonly LogLine[]> {
  if (withOlder)
    for await (const lines of older.readOn()) yield lines.flatMap(({ text }) => translate(text));
  for await (const lines of newer.readOn()) yield lines.flatMap(({ text }) => translate(text));
}

/** Lines of all sources by their times; those of one source stay in its order. */
async function* merged(
  sources: readonly AsyncGenerator<readonly LogLine[]>[],
): AsyncGenerator<readonly LogLine[]> {
  const cursors = sources.map((source) => new Cursor(source));
  for (const cursor of cursors) await cursor.fill();
  for (;;) {
    const left = cursors.filter(({ line }) => line !== undefined);
    if (left.length === 0) return;
    // All that comes before the end of any batch: what follows in that source is not known yet.
    const horizon = Math.min(...left.map(({ end }) => end));
    const batch = left.flatMap((cursor) => cursor.take(horizon));
    for (const cursor of left) await cursor.fill();
    yield batch.sort((one, other) => one.at - other.at);
  }
}

class Cursor {
  readonly #source: AsyncGenerator<readonly LogLine[]>;
  #lines: readonly LogLine[] = [];
  #at = 0;

  constructor(source: AsyncGenerator<readonly LogLine[]>) {
    this.#source = source;
  }

  get line(): LogLine | undefined {
    return this.#lines[this.#at];
  }

  /** The time of the last line at hand. */
  get end(): number {
    return this.#lines.at(-1)?.at ?? 0;
  }

  /** Reads on once nothing is at hand. */
  async fill(): Promise<void> {
    while (this.line === undefined) {
      const { done, value } = await this.#source.next();
      if (done === true) return;
      this.#lines = value;
      this.#at = 0;
    }
  }

  /** Those until then; at least all that come before the first later one. */
  take(until: number): readonly LogLine[] {
    const start = this.#at;
    while (this.line !== undefined && this.line.at <= until) this.#at++;
    return this.#lines.slice(start, this.#at);
  }
}
