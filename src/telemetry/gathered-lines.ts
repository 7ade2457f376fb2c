/**
 * Lines on their way into a log: gathered and written together, later and elsewhere, so that no request waits for a
 * disk. What a disk does not take is not kept for ever: beyond a bound lines are lost, counted, and told once.
 */
import type { Log } from "../runtime/log.ts";

/** Where gathered lines go. */
export interface LineSink {
  /** @param lines without the last line end; resolves when there is room for more */
  write(lines: string): Promise<void>;
  /** For the end of the process, when nothing can be waited for. */
  writeNow(lines: string): void;
  close(): Promise<void>;
}

export interface GatheredLinesOptions {
  readonly sink: LineSink;
  /** For people: the path. */
  readonly name: string;
  readonly log: Log;
  readonly bounds?: GatheringBounds;
}

/** In characters, and milliseconds. */
export interface GatheringBounds {
  readonly writeAt: number;
  readonly writeAfterMs: number;
  readonly keepAtMost: number;
}

const BOUNDS: GatheringBounds = {
  writeAt: 64 * 1024,
  writeAfterMs: 250,
  keepAtMost: 4 * 1024 * 1024,
};

export class GatheredLines {
  readonly #sink: LineSink;
  readonly #name: string;
  readonly #log: Log;
  readonly #bounds: GatheringBounds;
  #lines: string[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #isSoon = false;
  #writing: Promise<void> | undefined;
  #lost = 0;

  constructor({ sink, name, log, bounds = BOUNDS }: GatheredLinesOptions) {
    this.#sink = sink;
    this.#name = name;
    this.#log = log;
    this.#bounds = bounds;
  }

  /** @param line without its line end */
  add(line: string): void {
    const { writeAt, writeAfterMs, keepAtMost } = this.#bounds;
    if (this.#size + line.length > keepAtMost) {
      if (this.#lost++ === 0) this.#log.warn("access log lines are lost", { file: this.#name });
      return;
    }
    this.#lines.push(line);
    this.#size += line.length + 1;
    if (this.#writing !== undefined) return;
    if (this.#size >= writeAt) this.#writeSoon();
    else this.#timer ??= setTimeout(() => void this.flush(), writeAfterMs).unref();
  }

  /** Resolves once everything so far has been taken. */
  async flush(): Promise<void> {
    this.#clearTimer();
    while (this.#writing !== undefined) await this.#writing;
    if (this.#lines.length === 0) return;
    this.#writing = this.#write(this.#take());
    await this.#writing;
    this.#writing = undefined;
    if (this.#lines.length > 0) this.#writeSoon();
  }

  /** For the end of the process. */
  flushNow(): void {
    this.#clearTimer();
    if (this.#lines.length > 0) this.#sink.writeNow(this.#take().join("\n"));
  }

  async close(): Promise<void> {
    while (this.#lines.length > 0 || this.#writing !== undefined) await this.flush();
    this.#clearTimer();
    await this.#sink.close();
  }

  /** Not within the request whose line it was. */
  #writeSoon(): void {
    if (this.#isSoon) return;
    this.#clearTimer();
    this.#isSoon = true;
    this.#timer = setImmediate(() => void this.flush());
  }

  async #write(lines: readonly string[]): Promise<void> {
    try {
      await this.#sink.write(lines.join("\n"));
    } catch (error) {
      const isNews = this.#lost === 0;
      this.#lost += lines.length;
      if (isNews) {
        this.#log.warn("an access log cannot be written", {
          file: this.#name,
          problem: error instanceof Error ? error.message : String(error),
        });
      }
      return;
    }
    if (this.#lost === 0) return;
    this.#log.warn("an access log is written again", { file: this.#name, lost: this.#lost });
    this.#lost = 0;
  }

  #take(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#size = 0;
    return lines;
  }

  #clearTimer(): void {
    if (this.#isSoon) clearImmediate(this.#timer as NodeJS.Immediate);
    else clearTimeout(this.#timer as NodeJS.Timeout | undefined);
    this.#timer = undefined;
    this.#isSoon = false;
  }
}
