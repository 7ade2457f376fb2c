/**
 * A process's own lines on their way into a file of its own: many a second, gathered as bytes and written together, so
 * that a request waits for no disk and costs no write of its own. The first is written at the end of the turn, so that
 * whoever looks after a single request finds it.
 */
import { LineLosses, type LogTrouble } from "./line-losses.ts";
import type { LogFile } from "./log-file.ts";

export interface GatheredOutputOptions {
  readonly file: Pick<LogFile, "append" | "writeNow">;
  /** Hears once that lines are lost, and once that they are no more. */
  readonly onTrouble?: (trouble: LogTrouble) => void;
  readonly bounds?: OutputBounds;
}

export interface OutputBounds {
  /** Bytes that are written without waiting for more. */
  readonly writeAt: number;
  /** Between two writes, unless there is so much. */
  readonly pauseMs: number;
  /** Bytes beyond which lines are lost while the file takes no more. */
  readonly keepAtMost: number;
}

/**
 * A write takes two threads, on a busy core 300 microseconds of it, so few large ones: `writeAt` are 1,000 requests. On a
 * busy machine a full file is copied in a fifth of a second, and a busy sidecar brings 20 MiB in one.
 */
const BOUNDS: OutputBounds = {
  writeAt: 1024 * 1024,
  pauseMs: 100,
  keepAtMost: 16 * 1024 * 1024,
};
const FIRST_BYTES = 16 * 1024;
/** Of one character of a string, in UTF-8. */
const MAX_CHARACTER_BYTES = 3;
const LINE_END = 0x0a;

/** However the process ends, short of being killed, what they hold is written. */
const open = new Set<GatheredOutput>();
process.once("exit", () => {
  for (const output of open) output.flushNow();
});

export class GatheredOutput {
  readonly #file: GatheredOutputOptions["file"];
  readonly #bounds: OutputBounds;
  readonly #losses: LineLosses;
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #lines = 0;
  /** What the file has taken, to be filled next. */
  #spare: Buffer | undefined = undefined;
  #isWriting = false;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined = undefined;
  #soon: NodeJS.Immediate | undefined = undefined;

  constructor({ file, onTrouble, bounds = BOUNDS }: GatheredOutputOptions) {
    this.#file = file;
    this.#bounds = bounds;
    this.#losses = new LineLosses(onTrouble);
    open.add(this);
  }

  /** @param line without its line end */
  add(line: string): void {
    if (!this.#hasRoom(line)) {
      this.#losses.lost(1, new Error("it takes too long"));
      return;
    }
    this.#length += this.#bytes.write(line, this.#length);
    this.#bytes[this.#length++] = LINE_END;
    this.#lines++;
    if (!this.#isWriting) this.#schedule();
  }

  /** For the end of the process. */
  flushNow(): void {
    try {
      this.#file.writeNow(this.#bytes.subarray(0, this.#length));
    } catch {
      // nobody is left to be told
    }
    this.#length = 0;
  }

  #hasRoom(line: string): boolean {
    const needed = this.#length + MAX_CHARACTER_BYTES * line.length + 1;
    if (needed > this.#bounds.keepAtMost) return false;
    if (needed <= this.#bytes.length) return true;
    const larger = Math.min(Math.max(2 * this.#bytes.length, needed), this.#bounds.keepAtMost);
    const grown = Buffer.allocUnsafeSlow(larger);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    return true;
  }

  /** Never within the request whose line it is. */
  #schedule(): void {
    if (this.#soon !== undefined) return;
    if (this.#length >= this.#bounds.writeAt) this.#writeSoon();
    else if (this.#timer === undefined) this.#writeInTime();
  }

  #writeInTime(): void {
    const pause = this.#writtenAt + this.#bounds.pauseMs - performance.now();
    if (pause <= 0) this.#writeSoon();
    else this.#timer = setTimeout(() => void this.#write(), pause).unref();
  }

  #writeSoon(): void {
    this.#soon = setImmediate(() => void this.#write());
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    this.#timer = this.#soon = undefined;
    this.#isWriting = true;
    this.#writtenAt = performance.now();
    const [bytes, length, lines] = [this.#bytes, this.#length, this.#lines];
    this.#bytes = this.#spare ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#spare = undefined;
    this.#length = this.#lines = 0;
    try {
      await this.#file.append(bytes.subarray(0, length));
      this.#losses.written();
    } catch (problem) {
      this.#losses.lost(lines, problem);
    }
    // What was gathered while a disk hung is not kept for better days.
    if (bytes.length <= 2 * this.#bounds.writeAt) this.#spare = bytes;
    this.#isWriting = false;
    if (this.#length > 0) this.#schedule();
  }
}
