/**
 * A process's own lines on their way into a file of its own: many a second, gathered as bytes and written together, so
 * that a request waits for no disk and costs no write of its own. The first is written at the end of the turn, so that
 * whoever looks after a single request finds it.
 */
import type { LogLine } from "./line-bytes.ts";
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
 * A write takes two threads, on a busy core 300 microseconds of it, so few large ones: `writeAt` are 500 requests. On a
 * busy machine a full file is copied in a fifth of a second, and a busy sidecar brings 20 MiB in one.
 */
const BOUNDS: OutputBounds = {
  writeAt: 512 * 1024,
  pauseMs: 100,
  keepAtMost: 16 * 1024 * 1024,
};
const FIRST_BYTES = 16 * 1024;
/** Pieces of memory that are kept for what comes. */
const MOST_SPARE = 3;
/** Of one character of a string, in UTF-8. */
const MAX_CHARACTER_BYTES = 3;
const LINE_END = 0x0a;

/** Whole lines with their ends. */
class Gathered {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;
  lines = 0;

  /** @returns whether there is room for so many octets, if need be in more memory, but not more than `most` */
  makeRoom(octets: number, most: number): boolean {
    const needed = this.length + octets;
    if (needed <= this.bytes.length) return true;
    // A single line has room, however long it is.
    if (this.length > 0 && needed > most) return false;
    const larger = Math.max(Math.min(2 * this.bytes.length, most), needed);
    const grown = Buffer.allocUnsafeSlow(larger);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    return true;
  }

  add(line: LogLine): void {
    if (typeof line === "string") this.length += this.bytes.write(line, this.length);
    else this.length += line.bytes.copy(this.bytes, this.length, 0, line.length);
    this.bytes[this.length++] = LINE_END;
    this.lines++;
  }

  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** However the process ends, short of being killed, what they hold is written. */
const open = new Set<GatheredOutput>();
process.once("exit", () => {
  for (const output of open) output.flushNow();
});

export class GatheredOutput {
  readonly #file: GatheredOutputOptions["file"];
  readonly #bounds: OutputBounds;
  readonly #losses: LineLosses;
  #current: Gathered = new Gathered();
  /** What came before, and is no longer added to. */
  #full: Gathered[] = [];
  #fullOctets = 0;
  /** What the file has taken, to be filled next. */
  readonly #spare: Gathered[] = [];
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
  add(line: LogLine): void {
    const most = typeof line === "string" ? MAX_CHARACTER_BYTES * line.length : line.length;
    const octets = most + 1;
    if (this.#octets + octets > this.#bounds.keepAtMost) {
      this.#losses.lost(1, new Error("it takes too long"));
      return;
    }
    if (!this.#current.makeRoom(octets, this.#bounds.writeAt)) {
      this.#begin();
      this.#current.makeRoom(octets, this.#bounds.writeAt);
    }
    this.#current.add(line);
    if (!this.#isWriting) this.#schedule();
  }

  /** For the end of the process. */
  flushNow(): void {
    try {
      this.#file.writeNow(Buffer.concat(this.#take().map((one) => one.view())));
    } catch {
      // nobody is left to be told
    }
  }

  get #octets(): number {
    return this.#fullOctets + this.#current.length;
  }

  #begin(): void {
    this.#full.push(this.#current);
    this.#fullOctets += this.#current.length;
    this.#current = this.#spare.pop() ?? new Gathered();
  }

  /** All that is held, in its order. */
  #take(): readonly Gathered[] {
    if (this.#current.length > 0) this.#begin();
    const taken = this.#full;
    this.#full = [];
    this.#fullOctets = 0;
    return taken;
  }

  /** Never within the request whose line it is. */
  #schedule(): void {
    if (this.#soon !== undefined) return;
    const isMuch = this.#full.length > 0 || this.#current.length >= this.#bounds.writeAt;
    if (isMuch) this.#writeSoon();
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
    // The file has all of them at once: it writes what waits when the process ends.
    await Promise.all(this.#take().map((one) => this.#writeOne(one)));
    this.#isWriting = false;
    if (this.#octets > 0) this.#schedule();
  }

  async #writeOne(one: Gathered): Promise<void> {
    try {
      await this.#file.append(one.view());
      this.#losses.written();
    } catch (problem) {
      this.#losses.lost(one.lines, problem);
    }
    one.length = one.lines = 0;
    // What was gathered while a disk hung is not kept for better days.
    const isUsual = one.bytes.length <= this.#bounds.writeAt;
    if (isUsual && this.#spare.length < MOST_SPARE) this.#spare.push(one);
  }
}
