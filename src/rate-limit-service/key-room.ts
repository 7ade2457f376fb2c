/**
 * Which keys of a limit there are now. Strangers choose keys, such as a header's value, so that there is room for so many; those who
 * find none share buckets, until older keys are full again, and may be forgotten without loss. Who shares with whom is chance: so many
 * shared buckets are not spent by one who comes under ever new names.
 */
import { createHash, randomBytes } from "node:crypto";

export const MAX_KEYS = 10_000;
/** Buckets of those who find no room. */
export const CROWDS = 1_024;
/** It begins no hash. */
const CROWD = "crowd-";
const SEED_OCTETS = 16;

export interface KeyEntrance<T> {
  /** In milliseconds. */
  readonly now: number;
  readonly newcomers: "welcome" | "refused";
  readonly make: () => T;
}

interface Kept<T> {
  readonly value: T;
  until: number;
}

export interface KeyRoomOptions {
  /** Milliseconds without a question after which a key is as if it were new. */
  readonly lifeMs: number;
  readonly maxKeys?: number;
  readonly crowds?: number;
}

export class KeyRoom<T> {
  readonly #lifeMs: number;
  readonly #maxKeys: number;
  readonly #crowds: number;
  /** Nobody can choose with whom to share. */
  readonly #seed = randomBytes(SEED_OCTETS);
  /** The least recently asked for first. */
  readonly #kept: Map<string, Kept<T>> = new Map();

  constructor({ lifeMs, maxKeys = MAX_KEYS, crowds = CROWDS }: KeyRoomOptions) {
    this.#lifeMs = lifeMs;
    this.#maxKeys = maxKeys;
    this.#crowds = crowds;
  }

  /**
   * @param newcomers whether there may be more, here and elsewhere
   * @returns the key to count under, and what is kept of it
   */
  enter(
    key: string,
    { now, newcomers, make }: KeyEntrance<T>,
  ): { readonly key: string; readonly value: T } {
    this.forget(now);
    const place = this.#placeOf(key, newcomers);
    const known = this.#kept.get(place);
    const value = known === undefined ? make() : known.value;
    this.#kept.delete(place);
    this.#kept.set(place, { value, until: now + this.#lifeMs });
    return { key: place, value };
  }

  /** As `enter`, and nobody enters: `value` is absent where the key is as if it were new. */
  find(
    key: string,
    { now, newcomers }: Omit<KeyEntrance<T>, "make">,
  ): { readonly key: string; readonly value?: T } {
    this.forget(now);
    const place = this.#placeOf(key, newcomers);
    const known = this.#kept.get(place);
    return known === undefined ? { key: place } : { key: place, value: known.value };
  }

  get size(): number {
    return this.#kept.size;
  }

  /** What is as if it were new by now. */
  forget(now: number): void {
    for (const [key, { until }] of this.#kept) {
      if (until > now) return;
      this.#kept.delete(key);
    }
  }

  #placeOf(key: string, newcomers: "welcome" | "refused"): string {
    const isFull = newcomers === "refused" || this.#kept.size >= this.#maxKeys;
    if (!isFull || this.#kept.has(key)) return key;
    const digest = createHash("sha256").update(this.#seed).update(key).digest();
    return `${CROWD}${digest.readUInt32BE() % this.#crowds}`;
  }
}
