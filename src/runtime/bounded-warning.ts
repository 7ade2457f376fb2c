/** A warning that strangers can provoke: in the long run one line a second at most, which counts those that were left out. */
import type { Log, LogFields } from "./log.ts";

const INTERVAL_MS = 1_000;

export class BoundedWarning {
  readonly #log: Pick<Log, "warn">;
  readonly #message: string;
  readonly #intervalMs: number;
  readonly #mostSpare: number;
  /** Lines that may follow at once; one comes back with each interval in which nothing was left out. */
  #spare: number;
  #resting: NodeJS.Timeout | undefined;
  #leftOut = 0;
  #fullest: LogFields = {};

  constructor(
    log: Pick<Log, "warn">,
    {
      message,
      intervalMs = INTERVAL_MS,
      atOnce = 1,
    }: {
      readonly message: string;
      readonly intervalMs?: number;
      /** Lines that may come together: more than one where each tells of something else. */
      readonly atOnce?: number;
    },
  ) {
    this.#log = log;
    this.#message = message;
    this.#intervalMs = intervalMs;
    this.#mostSpare = atOnce - 1;
    this.#spare = this.#mostSpare;
  }

  /** Told at once, or, soon after another, as one of `count` with the fields of the one that says most. */
  warn(fields: LogFields): void {
    if (this.#resting === undefined) {
      this.#log.warn(this.#message, fields);
      this.#rest();
    } else if (this.#spare > 0) {
      this.#spare--;
      this.#log.warn(this.#message, fields);
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
    if (this.#leftOut === 0) {
      if (this.#spare === this.#mostSpare) return;
      this.#spare++;
      this.#rest();
      return;
    }
    this.#log.warn(this.#message, { ...this.#fullest, count: this.#leftOut });
    this.#leftOut = 0;
    this.#fullest = {};
    this.#rest();
  }
}

function said(fields: LogFields): number {
  return Object.values(fields).filter((value) => value !== undefined).length;
}
