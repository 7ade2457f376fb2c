/**
 * Logs to which several processes append, each whole lines at once. None begins a full one anew by itself, since the
 * others would write on meanwhile: one of them does, while all hold still.
 */
import { fstatSync, writeSync } from "node:fs";
import { createDeferred, type Deferred } from "./deferred.ts";
import { LineLosses } from "./line-losses.ts";
import { type LogFile, type LogFileOptions, MAX_LOG_BYTES } from "./log-file.ts";

/** What can be done with a log, whoever shares it. */
export type OpenLog = Pick<LogFile, "write" | "append" | "flush" | "writeNow" | "endNow">;

export type OpenLogFile = (options: LogFileOptions) => OpenLog;

/** Of single lines that wait; gathered ones are bounded by who gathers them. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Those of this process. */
export class SharedLogs {
  readonly #onFull: () => void;
  #isTold = false;
  #held: Deferred<void> | undefined;

  /** @param onFull hears that one has grown to its bound: once, until it is told to go on */
  constructor(onFull: () => void) {
    this.#onFull = onFull;
  }

  readonly open: OpenLogFile = (options) => new SharedLogFile(options, this);

  /** From now on this process writes to none. */
  hold(): void {
    this.#held ??= createDeferred<void>();
  }

  /** It goes on, with what has waited first. */
  release(): void {
    this.#isTold = false;
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Resolves once it is not held; undefined: it is not. */
  get released(): Promise<void> | undefined {
    return this.#held?.promise;
  }

  tellFull(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#onFull();
  }
}

class SharedLogFile implements OpenLog {
  readonly #descriptor: number;
  readonly #maxBytes: number;
  readonly #logs: SharedLogs;
  readonly #losses: LineLosses;
  #waitingBytes = 0;
  /** A line that was written in part is ended before the next. */
  #isTorn = false;

  constructor({ descriptor, maxBytes, onTrouble }: LogFileOptions, logs: SharedLogs) {
    this.#descriptor = descriptor;
    this.#maxBytes = maxBytes ?? MAX_LOG_BYTES;
    this.#logs = logs;
    this.#losses = new LineLosses(onTrouble);
  }

  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#logs.released === undefined) {
      this.#losses.attempt(() => this.#append(bytes));
    } else if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#losses.lost(1, new Error("it is being copied"));
    } else {
      this.#waitingBytes += bytes.length;
      void this.#logs.released.then(() => {
        this.#waitingBytes -= bytes.length;
        this.#losses.attempt(() => this.#append(bytes));
      });
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    while (this.#logs.released !== undefined) await this.#logs.released;
    this.#append(bytes);
  }

  async flush(): Promise<void> {
    await this.#logs.released;
  }

  writeNow(bytes: Uint8Array): void {
    this.#append(bytes);
  }

  /** Nothing waits but while the process is held, and then it does not end. */
  endNow(): void {}

  /** At once, and in one piece: another process's lines come before or after it. */
  #append(bytes: Uint8Array): void {
    let rest = this.#isTorn ? Buffer.concat([LINE_END, bytes]) : bytes;
    while (rest.length > 0) {
      const written = writeSync(this.#descriptor, rest);
      rest = rest.subarray(written);
      this.#isTorn = rest.length > 0;
    }
    if (fstatSync(this.#descriptor).size >= this.#maxBytes) this.#logs.tellFull();
  }
}

const LINE_END: Uint8Array = Uint8Array.of(0x0a);
