import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Hash64, Word64 } from "./word64.ts";
import { XxHash64 } from "./xx-hash-64.ts";

const MASK = (1n << 64n) - 1n;
const PRIMES = [
  11400714785074694791n,
  14029467366897019727n,
  1609587929392839161n,
  9650029242287828579n,
  2870177450012600261n,
] as const;
const [P1, P2, P3, P4, P5] = PRIMES;
const whole = ({ high, low }: Hash64): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
const halves = (word: bigint): Word64 =>
  new Word64(Number(word >> 32n), Number(word & 0xffffffffn));
const rotate = (word: bigint, bits: bigint): bigint =>
  ((word << bits) | (word >> (64n - bits))) & MASK;
const round = (lane: bigint, input: bigint): bigint =>
  (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;

/** The specification again, step by step, with JavaScript's large integers. */
function reference(bytes: Buffer, seed: bigint): bigint {
  let at = 0;
  let hash = (seed + P5) & MASK;
  if (bytes.length >= 32) {
    let lanes = [seed + P1 + P2, seed + P2, seed, seed - P1].map((lane) =>
      BigInt.asUintN(64, lane),
    );
    for (; at + 32 <= bytes.length; at += 32) {
      lanes = lanes.map((lane, index) => round(lane, bytes.readBigUInt64LE(at + 8 * index)));
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, index) => (sum + rotate(lane, turns[index] ?? 0n)) & MASK, 0n);
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * P1 + P4) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt8(at)) * P5) & MASK), 11n) * P1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

/** Published with other implementations of xxHash64. */
const known: [text: string, hash: bigint][] = [
  ["", 0xef46db3751d8e999n],
  ["a", 0xd24ec4f1a98c6e5bn],
  ["abc", 0x44bc2cf5ad770999n],
  ["Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1n],
];
for (const [text, hash] of known) {
  test(`xxHash64 of ${JSON.stringify(text)}`, () =>
    assert.equal(whole(new XxHash64().ofText(text)), hash));
}

test("every text and every seed come to what the specification says", () => {
  const hasher = new XxHash64();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.bigInt({ min: 0n, max: MASK }),
      (octets, seed) => {
        const bytes = Buffer.from(octets);
        assert.equal(whole(hasher.ofBytes(bytes, halves(seed))), reference(bytes, seed));
      },
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      assert.equal(whole(hasher.ofText(text)), reference(Buffer.from(text), 0n));
    }),
  );
});

test("a text longer than the scratch buffer", () => {
  for (const text of ["é".repeat(1_365), "é".repeat(1_366), "x".repeat(100_000)]) {
    assert.equal(whole(new XxHash64().ofText(text)), reference(Buffer.from(text), 0n));
  }
});

test("several texts make one hash, whatever their order", () => {
  const hasher = new XxHash64();
  assert.equal(hasher.ofTexts([]), undefined);
  assert.equal(whole(hasher.ofTexts(["a"]) ?? new Word64()), known[1]?.[1]);
  const both = reference(Buffer.from("b"), reference(Buffer.from("a"), 0n));
  for (const texts of [
    ["a", "b"],
    ["b", "a"],
  ]) {
    assert.equal(whole(hasher.ofTexts(texts) ?? new Word64()), both);
  }
});

const word = fc.bigInt({ min: 0n, max: MASK });
test("arithmetic of words is that of numbers modulo 2^64", () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 31 }), (one, other, bits) => {
      const shift = BigInt(bits);
      assert.equal(whole(halves(one).add(halves(other))), (one + other) & MASK);
      assert.equal(whole(halves(one).multiply(halves(other))), (one * other) & MASK);
      assert.equal(whole(halves(one).xor(halves(other))), one ^ other);
      assert.equal(whole(halves(one).rotateLeft(bits)), rotate(one, shift));
      assert.equal(whole(halves(one).xorShifted(bits)), one ^ (one >> shift));
      assert.equal(whole(halves(one).xorShifted(bits + 32)), one ^ (one >> (shift + 32n)));
    }),
  );
  assert.equal(whole(halves(MASK).xorShifted(32)), MASK ^ (MASK >> 32n));
});
