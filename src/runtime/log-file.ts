/**
 * A log that others can make grow: one file of bounded size, with one predecessor. It is written by descriptor, since a
 * process may be where it cannot see its own log. Megabytes are copied elsewhere meanwhile, and what comes then waits.
 * What cannot be written is counted, and ends nothing.
 */
import { fstatSync, ftruncateSync, read, write, writeSync } from "node:fs";
import { promisify } from "node:util";
import { LineLosses, type LogTrouble } from "./line-losses.ts";

/** Twice this is what a kubelet keeps of a container, 50 MiB; the sidecar of a busy pod fills it in half a minute. */
export const MAX_LOG_BYTES: number = 25 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;
/** Of single lines that wait; gathered ones are bounded by who gathers them. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** For a write that is under way when the process ends. */
const LAST_WRITE_MS = 200;

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

/** Whole lines on their way into the file. */
interface Batch {
  bytes: Uint8Array;
  readonly done: (problem?: unknown) => void;
}

export class LogFile {
  readonly #options: LogFileOptions;
  readonly #maxBytes: number;
  readonly #losses: LineLosses;
  #size: number;
  /** A line that was written in part is ended before the next. */
  #isTorn = false;
  /** In this order; the first is on its way. */
  readonly #batches: Batch[] = [];
  #waitingBytes = 0;
  /** Whether another thread writes the first batch now. */
  #isUnderWay = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_LOG_BYTES;
    this.#losses = new LineLosses(options.onTrouble);
    this.#size = fstatSync(options.descriptor).size;
  }

  /**
   * For lines that are few: it is written at once, unless the file has to begin anew.
   *
   * @param line without its line end
   */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#batches.length === 0 && !this.#isFullWith(bytes)) {
      this.#losses.attempt(() => this.#appendNow(bytes));
    } else if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#losses.lost(1, new Error("it is being copied"));
    } else {
      this.#waitingBytes += bytes.length;
      this.append(bytes)
        .then(
          () => this.#losses.written(),
          (problem: unknown) => this.#losses.lost(1, problem),
        )
        .finally(() => {
          this.#waitingBytes -= bytes.length;
        });
    }
  }

  /**
   * For many lines at once: elsewhere, and in order.
   *
   * @param bytes whole lines with their ends; not to be changed before this resolves
   * @throws Error of the file system
   */
  append(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (problem?: unknown): void =>
        problem === undefined ? resolve() : reject(problem);
      this.#batches.push({ bytes, done });
      if (this.#batches.length === 1) void this.#work();
    });
  }

  /** Resolves once everything so far is written, or lost. */
  flush(): Promise<void> {
    return this.append(NOTHING).catch(() => undefined);
  }

  /** For the end of the process: what waits, and that. The bound does not count any more. @throws Error of the file system */
  writeNow(bytes: Uint8Array): void {
    const [first, ...others] = this.#batches.splice(0);
    if (first !== undefined) this.#appendNow(this.#unwritten(first));
    for (const batch of others) this.#appendNow(batch.bytes);
    this.#appendNow(bytes);
  }

  /** For the end of the process: what waits. */
  endNow(): void {
    try {
      this.writeNow(NOTHING);
    } catch {
      // nobody is left to be told
    }
  }

  async #work(): Promise<void> {
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      let problem: unknown;
      try {
        if (this.#isFullWith(batch.bytes)) await this.#beginAnew();
        await this.#appendLater(batch);
      } catch (error) {
        problem = error;
      }
      this.#batches.shift();
      batch.done(problem);
    }
  }

  #isFullWith(bytes: Uint8Array): boolean {
    return this.#size > 0 && this.#size + bytes.length > this.#maxBytes;
  }

  async #appendLater(batch: Batch): Promise<void> {
    if (this.#isTorn) batch.bytes = Buffer.concat([LINE_END, batch.bytes]);
    try {
      while (batch.bytes.length > 0) {
        this.#isUnderWay = true;
        const { bytesWritten } = await writeLater(this.#options.descriptor, batch.bytes);
        this.#took(batch.bytes, bytesWritten);
        batch.bytes = batch.bytes.subarray(bytesWritten);
      }
    } finally {
      this.#isUnderWay = false;
    }
  }

  #appendNow(bytes: Uint8Array): void {
    let rest = this.#isTorn ? Buffer.concat([LINE_END, bytes]) : bytes;
    while (rest.length > 0) {
      const written = writeSync(this.#options.descriptor, rest);
      this.#took(rest, written);
      rest = rest.subarray(written);
    }
  }

  #took(bytes: Uint8Array, written: number): void {
    this.#size += written;
    this.#isTorn = written < bytes.length;
  }

  /** What another thread writes arrives while this waits: nobody comes back to hear of it. */
  #unwritten({ bytes }: Batch): Uint8Array {
    if (!this.#isUnderWay) return bytes;
    const deadline = performance.now() + LAST_WRITE_MS;
    for (;;) {
      const arrived = fstatSync(this.#options.descriptor).size - this.#size;
      if (arrived >= bytes.length || performance.now() > deadline) {
        this.#isTorn = false;
        return bytes.subarray(Math.max(0, arrived));
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }

  /** Whether or not there is room for a predecessor: the bound is what counts. */
  async #beginAnew(): Promise<void> {
    await beginLogAnew(this.#options);
    this.#size = 0;
    this.#isTorn = false;
  }
}

/** Moves what the file holds into its predecessor. Whoever calls sees to it that nobody writes meanwhile. */
export async function beginLogAnew({
  descriptor,
  predecessor,
}: Pick<LogFileOptions, "descriptor" | "predecessor">): Promise<void> {
  if (predecessor !== undefined) await copy(descriptor, predecessor);
  // Not elsewhere: what the end of the process still writes must not be cut off. It takes a millisecond or two.
  ftruncateSync(descriptor);
}

const NOTHING = new Uint8Array(0);
const LINE_END: Uint8Array = Uint8Array.of(0x0a);
const readLater = promisify(read);
const writeLater = promisify(write);

async function copy(from: number, to: number): Promise<void> {
  const chunk = Buffer.allocUnsafeSlow(COPY_BYTES);
  try {
    ftruncateSync(to);
    for (let position = 0; ; ) {
      const { bytesRead } = await readLater(from, chunk, 0, chunk.length, position);
      if (bytesRead === 0) return;
      const { bytesWritten } = await writeLater(to, chunk, 0, bytesRead);
      position += bytesWritten;
    }
  } catch {
    ftruncateSync(to); // half of it would be taken for all
  }
}
