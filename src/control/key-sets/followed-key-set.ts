/** One key set, fetched again and again until it is stopped. */
import {
  type TokenKeySource,
  tokenKeySourceName,
  type WantedKeySet,
} from "../../policy/token-key-source.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { FetchPauses } from "./fetch-pauses.ts";

export interface KeySetState {
  /** Public parts, as JSON; absent: there were never any. */
  readonly jwks?: string;
  /** ISO 8601, of the last good fetch. */
  readonly fetchedAt?: string;
  /** Of the last try, when it failed. */
  readonly problem?: string;
}

/** Those that failed the last time wait among themselves: they must not hold up the others. */
export type FetchLane = "answering" | "failing";

export interface FollowOptions {
  readonly find: (
    source: TokenKeySource,
    options: { readonly timeoutMs: number; readonly lane: FetchLane },
  ) => Promise<string>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly state: () => KeySetState;
  readonly changed: (state: KeySetState) => void;
}

/** A rule may say more; whoever waits so long for keys has no use for them. */
const MAX_TIMEOUT_MS = 60_000;
/** It may repeat what a stranger wrote. */
const MAX_PROBLEM_LENGTH = 500;

export class FollowedKeySet {
  readonly #source: TokenKeySource;
  readonly #options: FollowOptions;
  readonly #pauses: FetchPauses;
  #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;
  #nextTryAt: Date | undefined;
  #isStopped = false;

  constructor({ source, timeoutMs }: WantedKeySet, options: FollowOptions) {
    this.#source = source;
    this.#timeoutMs = boundedTimeout(timeoutMs);
    this.#options = options;
    this.#pauses = new FetchPauses(options.random);
  }

  set timeoutMs(timeoutMs: number) {
    this.#timeoutMs = boundedTimeout(timeoutMs);
  }

  /** Undefined: it is being fetched. */
  get nextTryAt(): Date | undefined {
    return this.#nextTryAt;
  }

  start(): void {
    void this.#fetch();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #fetch(): Promise<void> {
    this.#nextTryAt = undefined;
    const pauseMs = await this.#fetched();
    if (this.#isStopped) return;
    this.#nextTryAt = new Date(this.#options.clock.now().getTime() + pauseMs);
    this.#timer = setTimeout(() => void this.#fetch(), pauseMs).unref();
  }

  /** @returns after how many milliseconds to ask again */
  async #fetched(): Promise<number> {
    const { find, clock, state } = this.#options;
    const lane = this.#pauses.isFailing ? "failing" : "answering";
    try {
      const jwks = await find(this.#source, { timeoutMs: this.#timeoutMs, lane });
      if (!this.#isStopped) this.#found(jwks);
      return this.#pauses.afterSuccess();
    } catch (error) {
      if (!this.#isStopped) this.#failed(describeError(error).slice(0, MAX_PROBLEM_LENGTH));
      const keys = state().jwks === undefined ? "without keys" : "with keys";
      return this.#pauses.afterFailure(clock.now().getTime(), keys);
    }
  }

  #found(jwks: string): void {
    const { changed, clock, log, state } = this.#options;
    const name = tokenKeySourceName(this.#source);
    const before = state();
    if (before.jwks !== jwks) log.info("keys of a token issuer are new", { source: name });
    else if (before.problem !== undefined)
      log.info("a token issuer answers again", { source: name });
    changed({ jwks, fetchedAt: clock.now().toISOString() });
  }

  #failed(problem: string): void {
    const { changed, log, state } = this.#options;
    const before = state();
    if (before.problem === problem) return;
    const effect =
      before.jwks === undefined ? "its tokens are refused" : "the last keys stay in use";
    log.warn("keys of a token issuer cannot be fetched", {
      source: tokenKeySourceName(this.#source),
      problem,
      effect,
    });
    changed({ ...before, problem });
  }
}

function boundedTimeout(timeoutMs: number): number {
  return Math.min(MAX_TIMEOUT_MS, Math.max(1, Math.ceil(timeoutMs)));
}
