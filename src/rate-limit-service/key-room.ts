/**
 * Which keys of a limit there are now. Strangers choose keys, such as a header's value, so that there is room for so many; whoever
 * finds none shares one bucket with all others who do not, until older ones are full again, and may be forgotten without loss.
 */
export const MAX_KEYS = 10_000;
/** Its hash is no hash. */
export const CROWD = "crowd";

export interface KeyEntrance<T> {
  /** In milliseconds. */
  readonly now: number;
  readonly newcomers: "welcome" | "refused";
  readonly make: () => T;
}

export class KeyRoom<T> {
  readonly #lifeMs: number;
  readonly #maxKeys: number;
  /** The least recently asked for first. */
  readonly #kept: Map<string, { readonly value: T; until: number }> = new Map();

  /** @param lifeMs without a question after which a key is as if it were new */
  constructor(lifeMs: number, maxKeys: number = MAX_KEYS) {
    this.#lifeMs = lifeMs;
    this.#maxKeys = maxKeys;
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
    const isFull = newcomers === "refused" || this.#kept.size >= this.#maxKeys;
    const place = isFull && !this.#kept.has(key) ? CROWD : key;
    const known = this.#kept.get(place);
    const value = known === undefined ? make() : known.value;
    this.#kept.delete(place);
    this.#kept.set(place, { value, until: now + this.#lifeMs });
    return { key: place, value };
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
}
