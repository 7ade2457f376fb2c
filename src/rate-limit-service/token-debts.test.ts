/** Laws of owing and paying tokens, by a clock that the tests move. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  freshDebts,
  idleMs,
  MAX_DEBTORS,
  type TakenTokens,
  type TokenDebts,
  takeTokens,
} from "./token-debts.ts";

const PER_SECOND = 100;
const RATE = PER_SECOND / 1_000;
const BURST = 100;

interface Ask {
  /** Absent: the limit is not fair. */
  readonly identity?: string;
  readonly hits?: number;
  readonly rate?: number;
  readonly burst?: number;
  readonly advance?: "welcome" | "unwelcome";
}

function take(debts: TokenDebts, now: number, ask: Ask = {}): TakenTokens {
  const { identity, hits = 1, rate = RATE, burst = BURST, advance = "unwelcome" } = ask;
  const who = { identity: identity ?? "", fair: identity !== undefined };
  return takeTokens(debts, { ...who, hits, rate, burst, advance }, now);
}

/** How many of each pass, where each asks in steady steps for a while. */
function passed(
  perSecond: Readonly<Record<string, number>>,
  seconds: number,
): ReadonlyMap<string, number> {
  const debts = freshDebts(0);
  const asks = Object.entries(perSecond).flatMap(([identity, each], place) =>
    Array.from({ length: each * seconds }, (_, index) => ({
      identity,
      at: ((index + place / 10) * 1_000) / each,
    })),
  );
  const counts = new Map(Object.keys(perSecond).map((identity) => [identity, 0]));
  for (const { identity, at } of asks.sort((a, b) => a.at - b.at)) {
    const { granted } = take(debts, at, { identity });
    counts.set(identity, (counts.get(identity) ?? 0) + granted);
  }
  return counts;
}

test("what passes in 30 s is what comes in 30 s, and the burst at first; of a fair limit two thirds of it", () => {
  const debts = freshDebts(0);
  let all = 0;
  for (let at = 0; at < 30_000; at++) all += take(debts, at).granted;
  assert.ok(all >= 3_099 && all <= 3_101, `${all}`);
  const alone = passed({ a: 1_000 }, 30).get("a") ?? 0;
  assert.ok(alone >= 3_065 && alone <= 3_068, `${alone}`);
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
  const debts = freshDebts(0);
  for (let at = 0; at < 20_000; at += 1) take(debts, at, { identity: "greedy" });
  let granted = 0;
  for (let at = 20_000; at < 30_000; at += 1) {
    take(debts, at, { identity: "greedy" });
    if (at % 20 === 0) granted += take(debts, at, { identity: "late" }).granted;
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
      const debts = freshDebts(0);
      let [now, given] = [0, 0];
      for (const { after, ...ask } of list) {
        now += after;
        const taken = take(debts, now, { ...ask, burst });
        given += taken.granted + taken.advance;
        assert.ok(taken.granted <= ask.hits);
        assert.ok(taken.remaining > 0 || taken.waitMs > 0);
        if (taken.granted < ask.hits) assert.equal(taken.advance, 0);
      }
      const identities = 4; // each may take one when it owes nothing
      const most = burst + identities + now * RATE;
      assert.ok(given <= most + 1e-3, `${given} of ${most}`);
    }),
  );
});

test("an identity alone waits as long as it is told, and no longer", () => {
  const debts = freshDebts(0);
  assert.equal(take(debts, 0, { burst: 1 }).granted, 1);
  const { granted, waitMs } = take(debts, 4, { burst: 1 });
  assert.equal(granted, 0);
  assert.ok(Math.abs(waitMs - 6) < 1e-6, `${waitMs}`);
  assert.equal(take(debts, 4 + waitMs - 0.1, { burst: 1 }).granted, 0);
  assert.equal(take(debts, 4 + waitMs, { burst: 1 }).granted, 1);
});

test("in advance a small part of what is left is given, and nothing where little is", () => {
  const debts = freshDebts(0);
  const first = take(debts, 0, { advance: "welcome" });
  assert.deepEqual([first.granted, first.advance, first.remaining], [1, 4, 95]);
  take(debts, 0, { hits: 80 });
  assert.equal(take(debts, 0, { advance: "welcome" }).advance, 0);
});

test("a clock that goes back gives nothing, and counts from there", () => {
  const debts = freshDebts(1_000_000);
  take(debts, 1_000_000, { hits: BURST });
  assert.equal(take(debts, 0).granted, 0);
  assert.equal(take(debts, 1_000, { hits: BURST }).granted, BURST);
});

test("debtors beyond the bound owe together; who has paid is forgotten", () => {
  const debts = freshDebts(0);
  for (let one = 0; one < 1_000; one++) take(debts, one / 10, { identity: `caller ${one}` });
  assert.equal(debts.debtors.length, MAX_DEBTORS + 1);
  const idle = idleMs({ rate: RATE, burst: BURST, fair: true });
  take(debts, 100 + idle, { identity: "one" });
  assert.deepEqual(debts.debtors, [{ identity: "one", debt: 1 }]);
});

test("of 3,000 identities that want twice what there is each has its part, and a greedy one little more", () => {
  const debts = freshDebts(0);
  const modest = new Map<string, number>();
  let greedy = 0;
  const second = 1_000 * RATE * 10;
  const ask = (identity: string, now: number): number =>
    take(debts, now, { identity, rate: RATE * 10, burst: second }).granted;
  for (let now = 0; now < 30_000; now++) {
    for (const turn of [0, 1]) {
      const identity = `caller ${(2 * now + turn) % 3_000}`;
      modest.set(identity, (modest.get(identity) ?? 0) + ask(identity, now));
    }
    if (now % 2 === 0) greedy += ask("greedy", now);
  }
  const parts = [...modest.values()].sort((a, b) => a - b);
  assert.ok((parts[300] ?? 0) >= 4, `a tenth has at most ${parts[300]}, where 10 are its part`);
  assert.ok(greedy < 600, `${greedy} of 15,000 that were asked for`);
});

test("law: nobody is told to wait where there is room, nor that there is room where there is none", () => {
  const asks = fc.array(
    fc.record({
      after: fc.integer({ min: -100, max: 400 }),
      identity: fc.constantFrom("a", "b", "c"),
      hits: fc.integer({ min: 0, max: 20 }),
    }),
  );
  fc.assert(
    fc.property(asks, fc.integer({ min: 1, max: 50 }), (list, burst) => {
      const debts = freshDebts(0);
      let now = 0;
      for (const { after, ...ask } of list) {
        now += after;
        const { remaining, waitMs } = take(debts, now, { ...ask, burst });
        const all = take(structuredClone(debts), now, { ...ask, hits: 1_000, burst });
        assert.equal(all.granted, remaining);
        const later = structuredClone(debts);
        assert.equal(take(later, now + waitMs + 1e-3, { ...ask, hits: 1, burst }).granted, 1);
        const order = debts.debtors.map(({ debt }) => debt);
        assert.deepEqual(
          order,
          [...order].sort((a, b) => a - b),
        );
      }
    }),
  );
});
