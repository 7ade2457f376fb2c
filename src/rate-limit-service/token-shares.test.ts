/** Laws of sharing tokens out, by a clock that the tests move. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  freshShares,
  idleMs,
  MAX_IDENTITIES,
  type TakenTokens,
  type TokenShares,
  takeTokens,
} from "./token-shares.ts";

const PER_SECOND = 100;
const RATE = PER_SECOND / 1_000;
const BURST = 100;

interface Ask {
  readonly identity?: string;
  readonly hits?: number;
  readonly rate?: number;
  readonly burst?: number;
  readonly advance?: "welcome" | "unwelcome";
}

function take(shares: TokenShares, now: number, ask: Ask = {}): TakenTokens {
  const { identity = "", hits = 1, rate = RATE, burst = BURST, advance = "unwelcome" } = ask;
  return takeTokens(shares, { identity, hits, rate, burst, advance }, now);
}

/** How many of each pass, where each asks in steady steps for a while. */
function passed(
  perSecond: Readonly<Record<string, number>>,
  seconds: number,
): ReadonlyMap<string, number> {
  const shares = freshShares(0, BURST);
  const asks = Object.entries(perSecond).flatMap(([identity, each], place) =>
    Array.from({ length: each * seconds }, (_, index) => ({
      identity,
      at: ((index + place / 10) * 1_000) / each,
    })),
  );
  const counts = new Map(Object.keys(perSecond).map((identity) => [identity, 0]));
  for (const { identity, at } of asks.sort((a, b) => a.at - b.at)) {
    const { granted } = take(shares, at, { identity });
    counts.set(identity, (counts.get(identity) ?? 0) + granted);
  }
  return counts;
}

test("what passes in 30 s is what comes in 30 s, and the burst at first", () => {
  const count = passed({ "": 1_000 }, 30).get("") ?? 0;
  assert.ok(count >= 3_099 && count <= 3_101, `${count}`);
});

test("one greedy identity at 20 times its share leaves the others at least 95 % of theirs", () => {
  const counts = passed({ greedy: 500, a: 25, b: 25, c: 25 }, 30);
  for (const modest of ["a", "b", "c"])
    assert.ok((counts.get(modest) ?? 0) >= 0.95 * 25 * 30, JSON.stringify([...counts]));
  assert.ok((counts.get("greedy") ?? 0) >= 0.95 * 25 * 30);
});

test("what one does not use goes to those who want more, in equal parts", () => {
  const counts = passed({ quiet: 10, b: 200, c: 1_000 }, 30);
  assert.ok((counts.get("quiet") ?? 0) >= 299, "all of it");
  const [b = 0, c = 0] = [counts.get("b"), counts.get("c")];
  assert.ok(Math.abs(b - c) < 0.05 * b, `${b} ${c}`);
  const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
  assert.ok(total >= 2_990 && total <= 3_101, `${total}`);
});

test("who comes late has its share within a moment", () => {
  const shares = freshShares(0, BURST);
  for (let at = 0; at < 20_000; at += 1) take(shares, at, { identity: "greedy" });
  let granted = 0;
  for (let at = 20_000; at < 30_000; at += 1) {
    take(shares, at, { identity: "greedy" });
    if (at % 20 === 0) granted += take(shares, at, { identity: "late" }).granted;
  }
  assert.ok(granted >= 0.95 * 50 * 10, `${granted}`);
});

test("more is never given than came, and what is said to remain is there", () => {
  const asks = fc.array(
    fc.record({
      after: fc.double({ min: 0, max: 2_000, noNaN: true }),
      identity: fc.constantFrom("a", "b", "c", "d"),
      hits: fc.integer({ min: 1, max: 300 }),
      advance: fc.constantFrom("welcome" as const, "unwelcome" as const),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(asks, fc.integer({ min: 8, max: 500 }), (list, burst) => {
      const shares = freshShares(0, burst);
      let [now, given] = [0, 0];
      for (const { after, ...ask } of list) {
        now += after;
        const taken = take(shares, now, { ...ask, burst });
        given += taken.granted + taken.advance;
        assert.ok(taken.granted <= ask.hits);
        assert.ok(taken.remaining > 0 || taken.waitMs > 0);
        if (taken.granted < ask.hits) assert.equal(taken.advance, 0);
      }
      assert.ok(given <= burst + now * RATE + 1e-3, `${given} of ${burst + now * RATE}`);
    }),
  );
});

test("an identity alone waits as long as it is told, and no longer", () => {
  const shares = freshShares(0, 1);
  assert.equal(take(shares, 0, { burst: 1 }).granted, 1);
  const { granted, waitMs } = take(shares, 4, { burst: 1 });
  assert.equal(granted, 0);
  assert.ok(Math.abs(waitMs - 6) < 1e-6, `${waitMs}`);
  assert.equal(take(shares, 4 + waitMs - 0.1, { burst: 1 }).granted, 0);
  assert.equal(take(shares, 4 + waitMs, { burst: 1 }).granted, 1);
});

test("in advance a small part of what is left is given, and nothing where little is", () => {
  const shares = freshShares(0, BURST);
  const first = take(shares, 0, { advance: "welcome" });
  assert.deepEqual([first.granted, first.advance, first.remaining], [1, 4, 95]);
  take(shares, 0, { hits: 80 });
  assert.equal(take(shares, 0, { advance: "welcome" }).advance, 0);
});

test("a clock that goes back gives nothing, and counts from there", () => {
  const shares = freshShares(1_000_000, BURST);
  take(shares, 1_000_000, { hits: BURST });
  assert.equal(take(shares, 0).granted, 0);
  assert.equal(take(shares, 1_000, { hits: BURST }).granted, BURST);
});

test("identities beyond the bound share one part; who is idle has none", () => {
  const shares = freshShares(0, BURST);
  for (let one = 0; one < 1_000; one++) take(shares, one / 10, { identity: `caller ${one}` });
  assert.equal(shares.held.size, MAX_IDENTITIES + 1);
  take(shares, idleMs({ rate: RATE, burst: BURST }) + 200, { identity: "one" });
  assert.equal(shares.held.size, 1);
});
