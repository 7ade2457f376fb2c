/** A warning that strangers can provoke: one line a second at most, which counts those that were left out. */
import type { Log, LogFields } from "./log.ts";

const INTERVAL_MS = 1_000;

export class BoundedWarning {
  readonly #log: Pick<Log, "warn">;
  readonly #message: string;
  readonly #intervalMs: number;
  #resting: NodeJS.Timeout | undefined;
  #leftOut = 0;
  #fullest: LogFields = {};

  constructor(
    log: Pick<Log, "warn">,
    {
      message,
      intervalMs = INTERVAL_MS,
    }: { readonly message: string; readonly intervalMs?: number },
  ) {
    this.#log = log;
    this.#message = message;
    this.#intervalMs = intervalMs;
  }

  /** Told at once, or, soon after another, as one of `count` with the fields of the one that says most. */
  warn(fields: LogFields): void {
    if (this.#resting === undefined) {
      this.#log.warn(this.#message, fields);
      this.#rest();
    } else {
      this.#leftOut++;
      if (said(fields) >= said(this.#fullest)) this.#fullest = fields;
    }
  }

  #rest(): void {
    this.#resting = setTimeout(() => this.#tellLeftOut(), this.#intervalMs).unref();
  }

  #tellLeftOut(): void {
    this.#resting = undefined;
    if (this.#leftOut === 0) return;
    this.#log.warn(this.#message, { ...this.#fullest, count: this.#leftOut });
    this.#leftOut = 0;
    this.#fullest = {};
    this.#rest();
  }
}

function said(fields: LogFields): number {
  return Object.values(fields).filter((value) => value !== undefined).length;
}
