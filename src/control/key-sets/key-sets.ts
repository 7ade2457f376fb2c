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
import type { Log } from "../../runtime/log.ts";
import { type Watched, WatchedValue } from "../../runtime/watched.ts";
import { FewAtOnce } from "./few-at-once.ts";
import { FollowedKeySet, type KeySetState } from "./followed-key-set.ts";
import type { KeySetFacts } from "./key-set-facts.ts";
import { RetiredKeySets } from "./retired-key-sets.ts";

/** By `tokenKeySourceName`. */
export type KeySetStates = ReadonlyMap<string, KeySetState>;
/** Public parts as JSON, by `tokenKeySourceName`, of those that were ever had. */
export type KnownKeySets = ReadonlyMap<string, string>;

export interface KeySetsOptions {
  readonly find: (source: TokenKeySource, timeoutMs: number) => Promise<string>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What was kept over a restart. */
  readonly kept?: KeySetStates;
}

/** Sources asked at all; a mesh with more of them has another trouble. */
const MAX_SOURCES = 1_024;
/** Of each lane: documents are held whole, and each costs a handshake. */
const MAX_FETCHES = 8;

export class KeySets {
  readonly #options: KeySetsOptions;
  readonly #states: WatchedValue<KeySetStates>;
  readonly #keys: WatchedValue<KnownKeySets>;
  readonly #followed = new Map<string, FollowedKeySet>();
  readonly #retired = new RetiredKeySets();
  readonly #lanes = {
    answering: new FewAtOnce(MAX_FETCHES),
    failing: new FewAtOnce(MAX_FETCHES),
  };
  #leftOut = 0;

  constructor(options: KeySetsOptions) {
    this.#options = options;
    this.#states = new WatchedValue<KeySetStates>(options.kept ?? new Map());
    this.#keys = new WatchedValue(keysIn(this.#states.current));
  }

  /** Changes with each good fetch, and with the problems. */
  get states(): Watched<KeySetStates> {
    return this.#states;
  }

  /** Changes with the keys alone: what depends on it is dear to build. */
  get keys(): Watched<KnownKeySets> {
    return this.#keys;
  }

  /** From now on these and no others are kept. */
  want(wanted: readonly WantedKeySet[]): void {
    const named = this.#chosen(wanted);
    const states = new Map(this.#states.current);
    this.#retire(named, states);
    this.#takeBack(named, states);
    this.#publish(states);
    for (const [name, one] of named) {
      const known = this.#followed.get(name);
      if (known !== undefined) known.timeoutMs = one.timeoutMs;
      else this.#follow(name, one);
    }
  }

  /** Of those of them that are kept. @param names as `tokenKeySourceName` says them */
  facts(names: readonly string[]): readonly KeySetFacts[] {
    return names.flatMap((source) => {
      const followed = this.#followed.get(source);
      if (followed === undefined) return [];
      const nextTryAt = followed.nextTryAt?.toISOString();
      const state = this.#states.current.get(source);
      return [{ source, ...state, ...(nextTryAt !== undefined && { nextTryAt }) }];
    });
  }

  close(): void {
    for (const followed of this.#followed.values()) followed.stop();
    this.#followed.clear();
  }

  /** Where there are too many, a new one never takes the place of one that is followed, or of one whose keys are known. */
  #chosen(wanted: readonly WantedKeySet[]): ReadonlyMap<string, WantedKeySet> {
    const rank = (name: string): number => {
      if (this.#followed.has(name)) return 0;
      return this.#states.current.has(name) ? 1 : 2;
    };
    const ranked = wanted
      .map((one) => [tokenKeySourceName(one.source), one] as const)
      .sort(([one], [other]) => rank(one) - rank(other));
    this.#tellLeftOut(ranked.slice(MAX_SOURCES).map(([name]) => name));
    return new Map(ranked.slice(0, MAX_SOURCES));
  }

  #tellLeftOut(names: readonly string[]): void {
    const before = this.#leftOut;
    this.#leftOut = names.length;
    if (names.length === 0 || before > 0) return;
    this.#options.log.warn("token issuers are more than keys are fetched of", {
      most: MAX_SOURCES,
      leftOut: names.length,
      first: names[0],
      effect: "tokens of those left out are refused",
    });
  }

  #retire(named: ReadonlyMap<string, WantedKeySet>, states: Map<string, KeySetState>): void {
    for (const [name, followed] of this.#followed) {
      if (named.has(name)) continue;
      followed.stop();
      this.#followed.delete(name);
    }
    for (const [name, state] of states) {
      if (named.has(name)) continue;
      states.delete(name);
      this.#retired.retire(name, state, this.#nowMs());
    }
  }

  #takeBack(named: ReadonlyMap<string, WantedKeySet>, states: Map<string, KeySetState>): void {
    for (const name of named.keys()) {
      if (states.has(name)) continue;
      const state = this.#retired.takeBack(name, this.#nowMs());
      if (state !== undefined) states.set(name, state);
    }
  }

  #follow(name: string, wanted: WantedKeySet): void {
    const { find } = this.#options;
    const followed = new FollowedKeySet(wanted, {
      ...this.#options,
      find: (source, { timeoutMs, lane }) =>
        this.#lanes[lane].run(async () => {
          if (this.#followed.get(name) !== followed) throw new Error("wanted no more");
          return find(source, timeoutMs);
        }),
      state: () => this.#states.current.get(name) ?? {},
      changed: (state) => this.#publish(new Map(this.#states.current).set(name, state)),
    });
    this.#followed.set(name, followed);
    followed.start();
  }

  #publish(states: KeySetStates): void {
    if (states.size === 0 && this.#states.current.size === 0) return;
    this.#states.set(states);
    const keys = keysIn(states);
    if (!isSame(keys, this.#keys.current)) this.#keys.set(keys);
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }
}

function keysIn(states: KeySetStates): KnownKeySets {
  return new Map(
    [...states].flatMap(([name, { jwks }]) => (jwks === undefined ? [] : [[name, jwks] as const])),
  );
}

function isSame(one: KnownKeySets, other: KnownKeySets): boolean {
  return one.size === other.size && [...one].every(([name, jwks]) => other.get(name) === jwks);
}
