/**
 * The ring of Envoy's consistent hash: each endpoint stands at many places, and a call goes to the endpoint at the first
 * place from its hash on. When an endpoint goes, its own calls move, and some others, as those that stay get more
 * places.
 * Source: `source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc` of envoyproxy/envoy
 */
import type { Hash64 } from "./word64.ts";
import { XxHash64 } from "./xx-hash-64.ts";

/** Envoy allows eight million; here a ring is built between two requests, and so many places take 20 ms. */
export const MOST_PLACES = 16_384;

/** Places in the order of their hashes, as unsigned halves, and whose each is. */
export class HashRing {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #owner: Uint32Array;

  /** @param keys one for each endpoint: in Envoy its address and port, `10.0.0.1:8080` or `[::1]:8080` */
  constructor(keys: readonly string[], minimumSize: number) {
    const places = placesOf(keys, minimumSize).sort(inOrder);
    this.#high = Uint32Array.from(places, ({ high }) => high);
    this.#low = Uint32Array.from(places, ({ low }) => low);
    this.#owner = Uint32Array.from(places, ({ owner }) => owner);
  }

  get size(): number {
    return this.#owner.length;
  }

  /** @returns the place of the first hash that is not below this one; after the last comes the first */
  placeOf(hash: Hash64): number {
    const high = hash.high >>> 0;
    const low = hash.low >>> 0;
    let begin = 0;
    let end = this.size;
    while (begin < end) {
      const middle = (begin + end) >>> 1;
      if (this.#isBelow(middle, high, low)) begin = middle + 1;
      else end = middle;
    }
    return begin === this.size ? 0 : begin;
  }

  /** @returns the number of the endpoint among the keys; undefined for a place that there is not */
  ownerOf(place: number): number | undefined {
    return this.#owner[place];
  }

  #isBelow(place: number, high: number, low: number): boolean {
    const placeHigh = this.#high[place] ?? 0;
    return placeHigh === high ? (this.#low[place] ?? 0) < low : placeHigh < high;
  }
}

interface Place {
  readonly high: number;
  readonly low: number;
  readonly owner: number;
}

/** In steps of Envoy's fractions, so that as many places as there belong to each endpoint. */
function placesOf(keys: readonly string[], minimumSize: number): Place[] {
  if (keys.length === 0) return [];
  const weight = 1 / keys.length;
  const size = Math.min(Math.ceil(weight * minimumSize) / weight, MOST_PLACES);
  const hasher = new XxHash64();
  const places: Place[] = [];
  let wanted = 0;
  for (const [owner, key] of keys.entries()) {
    wanted += size * weight;
    for (let number = 0; places.length < wanted; number++) {
      const { high, low } = hasher.ofText(`${key}_${number}`);
      places.push({ high: high >>> 0, low: low >>> 0, owner });
    }
  }
  return places;
}

function inOrder(one: Place, other: Place): number {
  return one.high - other.high || one.low - other.low;
}
