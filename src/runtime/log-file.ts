/**
 * A log that others can make grow: one file of bounded size, with one predecessor. It is written by descriptor, since a
 * process may be where it cannot see its own log. What cannot be written is counted, and ends nothing.
 */
import { fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { describeError } from "./hauberk-error.ts";

/** Twice this is what a kubelet keeps of a container, 50 MiB; the sidecar of a busy pod fills it in half a minute. */
const MAX_BYTES = 25 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

export interface LogFileOptions {
  /** Open for reading and appending. */
  readonly descriptor: number;
  /** Open for appending, of the file that gets what was written when there is no more room; absent: that is lost. */
  readonly predecessor?: number | undefined;
  /** Constant but for tests. */
  readonly maxBytes?: number;
  /** Hears once that lines are lost, and once that they are no more. */
  readonly onTrouble?: (trouble: LogTrouble) => void;
}

export type LogTrouble =
  | { readonly type: "not-written"; readonly problem: string }
  | { readonly type: "written-again"; readonly lostLines: number };

export class LogFile {
  readonly #options: LogFileOptions;
  readonly #maxBytes: number;
  #size: number;
  #lostLines = 0;
  /** A line that was written in part is ended before the next. */
  #isTorn = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#size = fstatSync(options.descriptor).size;
  }

  /** @param line without its line end */
  write(line: string): void {
    try {
      const bytes = Buffer.from(`${this.#isTorn ? "\n" : ""}${line}\n`);
      if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#beginAnew();
      this.#append(bytes);
    } catch (error) {
      if (this.#lostLines++ > 0) return;
      this.#options.onTrouble?.({ type: "not-written", problem: describeError(error) });
      return;
    }
    const lostLines = this.#lostLines;
    if (lostLines === 0) return;
    this.#lostLines = 0;
    this.#options.onTrouble?.({ type: "written-again", lostLines });
  }

  #append(bytes: Buffer): void {
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(this.#options.descriptor, bytes, written);
      written += count;
      this.#size += count;
      this.#isTorn = written < bytes.length;
    }
  }

  /** Whether or not there is room for a predecessor: the bound is what counts. */
  #beginAnew(): void {
    const { descriptor, predecessor } = this.#options;
    if (predecessor !== undefined) copy(descriptor, predecessor);
    ftruncateSync(descriptor);
    this.#size = 0;
    this.#isTorn = false;
  }
}

function copy(from: number, to: number): void {
  const chunk = Buffer.alloc(COPY_BYTES);
  try {
    ftruncateSync(to);
    for (let position = 0; ; ) {
      const count = readSync(from, chunk, 0, chunk.length, position);
      if (count === 0) return;
      position += writeSync(to, chunk, 0, count);
    }
  } catch {
    ftruncateSync(to); // half of it would be taken for all
  }
}
