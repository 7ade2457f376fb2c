import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairShare } from "./fair-share.ts";

const hundredASecond = { amount: 100, perMs: 1_000, burst: 100 };
const SECONDS = 30;

/** Requests a second of each, evenly but for `jitter` of their pause; how many a second were let through in the end. */
function served(
  pace: typeof hundredASecond,
  demands: Readonly<Record<string, number>>,
  chance: () => number,
): Record<string, number> {
  const share = new FairShare(pace);
  const requests = Object.entries(demands).flatMap(([name, perSecond]) =>
    Array.from({ length: Math.floor(perSecond * SECONDS) }, (_, index) => ({
      name,
      at: ((index + 0.5 * chance()) * 1_000) / perSecond,
    })),
  );
  requests.sort((a, b) => a.at - b.at);
  const counts = Object.fromEntries(Object.keys(demands).map((name) => [name, 0]));
  for (const { name, at } of requests) {
    if (share.wait(name, 10_000 + at) > 0) continue;
    share.take(name);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What each would get of a liquid, by filling all vessels alike until each is full or nothing is left. */
function fairShares(rate: number, demands: Readonly<Record<string, number>>): Map<string, number> {
  const shares = new Map<string, number>();
  let left = rate;
  const sorted = Object.entries(demands).sort(([, a], [, b]) => a - b);
  for (const [index, [name, demand]] of sorted.entries()) {
    const share = Math.min(demand, left / (sorted.length - index));
    shares.set(name, share);
    left -= share;
  }
  return shares;
}

const even = (): number => 0;

test("one who asks for twenty times its share leaves the others theirs", () => {
  const { greedy, ...others } = counted({ greedy: 400, a: 20, b: 20, c: 20, d: 20 });
  for (const count of Object.values(others))
    assert.ok(count >= 0.95 * 20 * SECONDS, JSON.stringify(others));
  assert.ok(greedy >= 20 * SECONDS, String(greedy));
});

test("what somebody leaves is shared by those who want more, and alone one has it all", () => {
  const { modest, one, other } = counted({ modest: 10, one: 200, other: 2_000 });
  assert.equal(modest, 10 * SECONDS);
  for (const count of [one, other]) assert.ok(Math.abs(count - 45 * SECONDS) < 60, String(count));
  const { alone } = counted({ alone: 1_000 });
  assert.ok(alone >= 100 * SECONDS && alone <= 100 * (SECONDS + 1), String(alone));
});

function counted<Name extends string>(
  demands: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  return { ...demands, ...served(hundredASecond, demands, even) };
}

test("one alone may take most of the burst, and who comes later finds some of it", () => {
  const share = new FairShare(hundredASecond);
  let taken = 0;
  for (; share.wait("first", 0) === 0; taken++) share.take("first");
  assert.equal(taken, 67);
  assert.ok(share.left("second", 0) >= 60);
  assert.equal(share.left("first", 0), 0);
});

test("what is given back counts for nothing", () => {
  const share = new FairShare({ amount: 1, perMs: 1_000, burst: 1 });
  share.wait("a", 0);
  share.take("a");
  assert.ok(share.wait("a", 0) > 900);
  share.giveBack("a");
  share.giveBack("b");
  assert.equal(share.wait("a", 0), 0);
});

test("those who owe nothing are forgotten, and beyond the most, those who come share a debt", () => {
  const share = new FairShare(hundredASecond, 2);
  for (const name of ["a", "b", "c", "d"]) {
    assert.equal(share.wait(name, 0), 0);
    share.take(name);
  }
  assert.equal(share.size, 3);
  assert.equal(share.wait("e", 60_000), 0);
  assert.equal(share.size, 0);
});

test("law: nobody gets less than 95 % of a max-min fair share, and all together no more than the rate", () => {
  const rates = fc.integer({ min: 20, max: 300 });
  const list = fc.array(fc.double({ min: 1, max: 500, noNaN: true }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(rates, list, fc.integer(), (rate, given, seed) => {
      const demands = Object.fromEntries(given.map((demand, index) => [`id-${index}`, demand]));
      const counts = served({ amount: rate, perMs: 1_000, burst: rate }, demands, chances(seed));
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      assert.ok(total <= rate * (SECONDS + 1) + given.length, `${total} of ${rate * SECONDS}`);
      for (const [name, share] of fairShares(rate, demands)) {
        const least = 0.95 * Math.floor(share * SECONDS) - 2;
        assert.ok((counts[name] ?? 0) >= least, `${name}: ${counts[name]} of ${share * SECONDS}`);
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

/** Numbers in [0, 1). */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}
