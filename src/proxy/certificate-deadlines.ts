/**
 * Gives up connections before the certificates that they stand on end. By the wall clock, looked at again and again: a
 * machine that slept must not go on with what ended meanwhile.
 */
import type { Clock } from "../runtime/clock.ts";

const LOOK_EVERY_MS = 500;

/** How early a connection is given up: a share of the life that its certificates have left when it is made. */
export interface Reserve {
  readonly ratio: number;
  readonly maxMs: number;
}

/**
 * Callers go first, so that no request meets a connection that is being closed. Those whose caller does not are told
 * with their next answer, and closed when there is none.
 */
export const CALLER_RESERVE: Reserve = { ratio: 0.3, maxMs: 15 * 60_000 };
export const LAST_ANSWER_RESERVE: Reserve = { ratio: 0.15, maxMs: 7 * 60_000 };
export const IDLE_CALLEE_RESERVE: Reserve = { ratio: 0.05, maxMs: 2 * 60_000 };
/** The reserve shrinks by up to this share, so that those who were started together do not reconnect together. */
const JITTER = 0.3;

/**
 * When a connection that is made now is to be given up.
 *
 * @param ends when the first of its certificates does
 * @param options.random a number in [0, 1)
 */
export function retirementTime(
  ends: Date,
  {
    now,
    reserve: { ratio, maxMs },
    random,
  }: { readonly now: Date; readonly reserve: Reserve; readonly random: number },
): Date {
  const leftMs = Math.max(0, ends.getTime() - now.getTime());
  const reserveMs = Math.min(ratio * leftMs, maxMs) * (1 - JITTER * random);
  return new Date(ends.getTime() - reserveMs);
}

interface Standing {
  readonly at: number;
  readonly retire: () => void;
}

export class CertificateDeadlines {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #standing = new Set<Standing>();
  #next = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: () => number }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @returns forgets the connection */
  watch(ends: Date, reserve: Reserve, retire: () => void): () => void {
    const at = this.timeOf(ends, reserve).getTime();
    const standing: Standing = { at, retire };
    this.#standing.add(standing);
    this.#next = Math.min(this.#next, at);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    return () => this.#forget(standing);
  }

  /** See `retirementTime`. */
  timeOf(ends: Date, reserve: Reserve): Date {
    return retirementTime(ends, { now: this.#clock.now(), reserve, random: this.#random() });
  }

  #look(): void {
    const now = this.#clock.now().getTime();
    if (now < this.#next) return;
    const due = [...this.#standing].filter(({ at }) => at <= now);
    for (const standing of due) this.#forget(standing);
    this.#next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#standing) this.#next = Math.min(this.#next, at);
    for (const { retire } of due) retire();
  }

  #forget(standing: Standing): void {
    this.#standing.delete(standing);
    if (this.#standing.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#next = Number.POSITIVE_INFINITY;
  }
}
