/**
 * What is left of buckets for which there is no more room: when each would have been full, in a fixed number of places (a count-min
 * sketch). Whoever comes back finds no less than it owed. It may find more, what another key left in its places; that fades as it is paid.
 */
import { randomInt } from "node:crypto";

/** In each of two rows: 512 KiB, taken when the first bucket has to go. */
const DEBT_PLACES = 32_768;

const ODD_1 = 0x9e3779b1;
const ODD_2 = 0x85ebca77;
const SEEDS = 2 ** 32;

export class RememberedDebts {
  readonly #places: number;
  readonly #fullAt: Float64Array;
  /** Nobody can choose keys that meet others'. */
  readonly #seed: number;
  #first = 0;
  #second = 0;

  /** @param places in each row, a power of two */
  constructor(places: number = DEBT_PLACES, seed: number = randomInt(SEEDS)) {
    this.#places = places;
    this.#fullAt = new Float64Array(2 * places);
    this.#seed = seed;
  }

  /** @param fullAt in milliseconds */
  remember(key: string, fullAt: number): void {
    this.#find(key);
    if (this.#at(this.#first) < fullAt) this.#fullAt[this.#first] = fullAt;
    if (this.#at(this.#second) < fullAt) this.#fullAt[this.#second] = fullAt;
  }

  /** @returns when the bucket will be full, at the latest; 0 where nothing is known of it */
  fullAt(key: string): number {
    this.#find(key);
    return Math.min(this.#at(this.#first), this.#at(this.#second));
  }

  #at(place: number): number {
    return this.#fullAt[place] ?? 0;
  }

  /** Two hashes, one for each row. */
  #find(key: string): void {
    let [one, two] = [this.#seed, ~this.#seed];
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index);
      one = Math.imul(one ^ code, ODD_1);
      one ^= one >>> 15;
      two = Math.imul(two ^ code, ODD_2);
      two ^= two >>> 13;
    }
    const mask = this.#places - 1;
    this.#first = Math.imul(one ^ (one >>> 16), ODD_2) & mask;
    this.#second = this.#places + (Math.imul(two ^ (two >>> 16), ODD_1) & mask);
  }
}
