import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HashRing, MOST_PLACES } from "./hash-ring.ts";
import { type Hash64, Word64 } from "./word64.ts";
import { XxHash64 } from "./xx-hash-64.ts";

const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => `10.0.${number >> 8}.${number & 255}:8080`);
const placesEach = (ring: HashRing, count: number): number[] => {
  const each = Array.from({ length: count }, () => 0);
  for (let place = 0; place < ring.size; place++) {
    const owner = ring.ownerOf(place) ?? -1;
    each[owner] = (each[owner] ?? 0) + 1;
  }
  return each;
};

/** Endpoints, size asked for, places of each: as many as are asked for, and as many for each. */
const sizes: [endpoints: number, minimum: number, each: number][] = [
  [1, 1_024, 1_024],
  [2, 1_024, 512],
  [3, 1_024, 342],
  [1_024, 1_024, 1],
  [2_000, 1_024, 1],
  [4, 1, 1],
];
for (const [endpoints, minimum, each] of sizes) {
  test(`${endpoints} endpoints on a ring of at least ${minimum} have ${each} places each`, () => {
    const counts = placesEach(new HashRing(keysOf(endpoints), minimum), endpoints);
    for (const count of counts) assert.ok(Math.abs(count - each) <= 1, `${count}`);
    assert.ok(Math.abs(counts.reduce((sum, count) => sum + count, 0) - endpoints * each) <= 1);
  });
}

test("no ring is larger than can be built between two requests", () => {
  assert.equal(new HashRing(keysOf(2), Number.MAX_SAFE_INTEGER).size, MOST_PLACES);
});

test("a ring without endpoints has no place", () => {
  const ring = new HashRing([], 1_024);
  assert.deepEqual([ring.size, ring.ownerOf(ring.placeOf(new Word64()))], [0, undefined]);
});

const whole = ({ high, low }: Hash64): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

test("a call goes to the first place that is not before its hash; after the last comes the first", () => {
  const keys = keysOf(5);
  const ring = new HashRing(keys, 50);
  const hasher = new XxHash64();
  const places = keys
    .flatMap((key, owner) =>
      Array.from({ length: 10 }, (_, number) => ({
        hash: whole(hasher.ofText(`${key}_${number}`)),
        owner,
      })),
    )
    .sort((one, other) => (one.hash < other.hash ? -1 : 1));
  const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const check = (hash: Hash64): void => {
    const expected = places.find((place) => place.hash >= whole(hash)) ?? places[0];
    assert.equal(ring.ownerOf(ring.placeOf(hash)), expected?.owner);
  };
  fc.assert(fc.property(half, half, (high, low) => check(new Word64(high, low))));
  for (const { hash } of places) {
    for (const near of [hash - 1n, hash, hash + 1n]) {
      check(new Word64(Number((near >> 32n) & 0xffffffffn), Number(near & 0xffffffffn)));
    }
  }
});
