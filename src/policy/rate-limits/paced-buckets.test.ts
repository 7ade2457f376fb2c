import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { paceOfProcess } from "./pace.ts";
import { PacedBuckets } from "./paced-buckets.ts";

const tenASecond = { amount: 10, perMs: 1_000, burst: 3 };

function pass(buckets: PacedBuckets, key: string, now: number): boolean {
  const slot = buckets.find(key, now);
  if (buckets.wait(slot, now) > 0) return false;
  buckets.take(slot, now);
  return true;
}

function countPassed(buckets: PacedBuckets, key: string, times: readonly number[]): number {
  return times.filter((now) => pass(buckets, key, now)).length;
}

test("the burst is let through at once, and then one for each interval", () => {
  const buckets = new PacedBuckets(tenASecond);
  assert.equal(countPassed(buckets, "a", Array(10).fill(5_000)), 3);
  const slot = buckets.find("a", 5_000);
  assert.equal(buckets.wait(slot, 5_000), 100);
  assert.equal(buckets.left(slot, 5_000), 0);
  assert.equal(buckets.fullIn(slot, 5_000), 300);
  assert.equal(pass(buckets, "a", 5_099), false);
  assert.equal(pass(buckets, "a", 5_100), true);
  assert.equal(pass(buckets, "a", 5_199), false);
  assert.equal(buckets.left(buckets.find("a", 5_400), 5_400), 3);
});

test("whoever sends as often as is allowed is never refused, whatever the fractions", () => {
  for (const amount of [3, 7, 99, 1_001]) {
    const buckets = new PacedBuckets({ amount, perMs: 1_000, burst: 1 });
    const times = Array.from({ length: 5_000 }, (_, index) => 77_777.7 + (index * 1_000) / amount);
    assert.equal(countPassed(buckets, "a", times), times.length, String(amount));
  }
});

test("keys are counted apart, and what is given back can be taken again", () => {
  const buckets = new PacedBuckets({ ...tenASecond, burst: 1 });
  assert.equal(pass(buckets, "a", 0), true);
  assert.equal(pass(buckets, "b", 0), true);
  assert.equal(pass(buckets, "a", 0), false);
  buckets.giveBack("a");
  buckets.giveBack("never seen");
  assert.equal(pass(buckets, "a", 0), true);
  assert.equal(pass(buckets, "b", 0), false);
});

test("of too many keys, one whose bucket is full goes first, and one that was used lately last", () => {
  const buckets = new PacedBuckets({ amount: 1, perMs: 1_000, burst: 1 }, 3);
  pass(buckets, "full", 0);
  for (const key of ["b", "c"]) pass(buckets, key, 900);
  pass(buckets, "d", 1_100);
  assert.deepEqual([buckets.size, buckets.forgotten], [3, 0]);
  assert.equal(pass(buckets, "b", 1_200), false);
  assert.equal(pass(buckets, "e", 1_200), true);
  assert.deepEqual([buckets.size, buckets.forgotten], [3, 1]);
  assert.equal(pass(buckets, "b", 1_200), false, "asked for lately");
  assert.equal(pass(buckets, "c", 1_200), false, "it had to go, and what it owes is remembered");
  assert.equal(pass(buckets, "c", 1_900), true);
});

test("nobody gains a bucket by pushing it out with others, nor takes one from who comes new", () => {
  const buckets = new PacedBuckets({ amount: 5, perMs: 3_600_000, burst: 5 }, 1_000);
  assert.equal(countPassed(buckets, "ann", Array(9).fill(0)), 5);
  for (let other = 0; other < 3_000; other++) pass(buckets, `other ${other}`, 1);
  assert.ok(buckets.forgotten > 1_000);
  assert.equal(countPassed(buckets, "ann", Array(9).fill(2)), 0);
  let whole = 0;
  for (let other = 0; other < 200; other++)
    if (countPassed(buckets, `newcomer ${other}`, Array(9).fill(3)) === 5) whole++;
  assert.ok(whole > 190, `${whole} of 200 newcomers have all of theirs`);
});

test("law: with room for few keys no key gets more than its burst and the rate", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.nat({ max: 9 })), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const buckets = new PacedBuckets(tenASecond, 3);
      const passed = new Map<number, number[]>();
      let now = 1_000;
      for (const [pause, key] of list) {
        now += pause;
        if (pass(buckets, `${key}`, now)) passed.set(key, [...(passed.get(key) ?? []), now]);
      }
      for (const times of passed.values())
        for (const [index, from] of times.entries())
          assert.ok(times.length - index <= 3 + ((times.at(-1) ?? from) - from) / 100 + 1e-3);
    }),
  );
});

test("never more than the burst and the rate, in any span of time, and nobody waits longer than told", () => {
  const pace = fc.record({
    amount: fc.integer({ min: 1, max: 50 }),
    perMs: fc.integer({ min: 10, max: 2_000 }),
    burst: fc.integer({ min: 1, max: 20 }),
  });
  const pauses = fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { maxLength: 200 });
  fc.assert(
    fc.property(pace, pauses, (given, waits) => {
      const buckets = new PacedBuckets(given);
      const passed: number[] = [];
      let now = 1_000;
      for (const wait of waits) {
        now += wait;
        const slot = buckets.find("a", now);
        const told = buckets.wait(slot, now);
        assert.equal(told === 0, buckets.left(slot, now) > 0);
        assert.equal(buckets.wait(slot, now + told + 1e-3), 0);
        if (told > 0) continue;
        buckets.take(slot, now);
        passed.push(now);
      }
      const rate = given.amount / given.perMs;
      for (const [index, from] of passed.entries()) {
        const until = passed.at(-1) ?? from;
        assert.ok(passed.length - index <= given.burst + (until - from) * rate + 1e-3);
      }
    }),
  );
});

test("processes of one pod share a limit alike, and each lets one through at least", () => {
  assert.deepEqual(paceOfProcess({ amount: 100, perMs: 1_000, burst: 2 }, 4), {
    amount: 25,
    perMs: 1_000,
    burst: 1,
  });
});
