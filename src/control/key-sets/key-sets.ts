/**
 * Keys of token issuers, fetched and kept: refreshed from time to time, retried within seconds while there are none, and the last
 * good ones stay in use however long an issuer is away (JWT-82..JWT-84).
 */

import {
  type TokenKeySource,
  tokenKeySourceName,
  type WantedKeySet,
} from "../../policy/token-key-source.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { type Backoff, backoffDelay } from "../../runtime/retry.ts";
import { type Watched, WatchedValue } from "../../runtime/watched.ts";

export interface KeySetState {
  /** Public parts, as JSON; absent: there were never any. */
  readonly jwks?: string;
  /** ISO 8601, of the last good fetch. */
  readonly fetchedAt?: string;
  /** Of the last try, when it failed. */
  readonly problem?: string;
}

/** By `tokenKeySourceName`. */
export type KeySetStates = ReadonlyMap<string, KeySetState>;

export interface KeySetsOptions {
  readonly find: (source: TokenKeySource, timeoutMs: number) => Promise<string>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What was kept over a restart. */
  readonly kept?: KeySetStates;
}

const REFRESH_MS = 20 * 60_000;
/** While nothing can be verified somebody waits. */
const WITHOUT_KEYS: Backoff = { baseMs: 500, maxMs: 3_000 };
const WITH_KEYS: Backoff = { baseMs: 10_000, maxMs: 5 * 60_000 };
/** Sources asked at all; a mesh with more of them has another trouble. */
const MAX_SOURCES = 1_024;

export class KeySets {
  readonly #options: KeySetsOptions;
  readonly #states: WatchedValue<KeySetStates>;
  readonly #followed = new Map<string, FollowedKeySet>();

  constructor(options: KeySetsOptions) {
    this.#options = options;
    this.#states = new WatchedValue<KeySetStates>(options.kept ?? new Map());
  }

  /** Changes with the keys and problems, not with each fetch that finds the same. */
  get states(): Watched<KeySetStates> {
    return this.#states;
  }

  /** From now on these and no others are kept. */
  want(wanted: readonly WantedKeySet[]): void {
    const named = new Map(
      wanted.slice(0, MAX_SOURCES).map((one) => [tokenKeySourceName(one.source), one]),
    );
    for (const name of [...this.#followed.keys(), ...this.#states.current.keys()]) {
      if (named.has(name)) continue;
      this.#followed.get(name)?.stop();
      this.#followed.delete(name);
      this.#set(name, undefined);
    }
    for (const [name, one] of named) {
      const known = this.#followed.get(name);
      if (known !== undefined) known.timeoutMs = one.timeoutMs;
      else this.#follow(name, one);
    }
  }

  close(): void {
    for (const followed of this.#followed.values()) followed.stop();
    this.#followed.clear();
  }

  #follow(name: string, wanted: WantedKeySet): void {
    const followed = new FollowedKeySet(wanted, {
      ...this.#options,
      state: () => this.#states.current.get(name) ?? {},
      changed: (state) => this.#set(name, state),
    });
    this.#followed.set(name, followed);
    followed.start();
  }

  #set(name: string, state: KeySetState | undefined): void {
    const states = new Map(this.#states.current);
    if (state !== undefined) states.set(name, state);
    else if (!states.delete(name)) return;
    this.#states.set(states);
  }
}

interface FollowOptions extends KeySetsOptions {
  readonly state: () => KeySetState;
  readonly changed: (state: KeySetState) => void;
}

class FollowedKeySet {
  timeoutMs: number;
  readonly #source: TokenKeySource;
  readonly #options: FollowOptions;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isStopped = false;

  constructor({ source, timeoutMs }: WantedKeySet, options: FollowOptions) {
    this.#source = source;
    this.timeoutMs = timeoutMs;
    this.#options = options;
  }

  start(): void {
    void this.#fetch();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #fetch(): Promise<void> {
    const { find, random } = this.#options;
    let pauseMs: number;
    try {
      const jwks = await find(this.#source, this.timeoutMs);
      if (this.#isStopped) return;
      this.#found(jwks);
      pauseMs = REFRESH_MS * (0.9 + random() / 10);
    } catch (error) {
      if (this.#isStopped) return;
      this.#failed(describeError(error));
      const backoff = this.#options.state().jwks === undefined ? WITHOUT_KEYS : WITH_KEYS;
      pauseMs = backoffDelay(this.#failures++, backoff, random());
    }
    this.#timer = setTimeout(() => void this.#fetch(), pauseMs).unref();
  }

  #found(jwks: string): void {
    const { changed, clock, log, state } = this.#options;
    this.#failures = 0;
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
