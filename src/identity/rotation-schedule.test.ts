import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renewalDelay } from "./rotation-schedule.ts";

const HOUR_MS = 3_600_000;
const issuedAt = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-01-02T00:00:00Z");
const steady = { graceRatio: 0.5, jitterRatio: 0, random: 0.5 };

const cases: [what: string, options: Partial<Parameters<typeof renewalDelay>[1]>, hours: number][] =
  [
    ["CA-31: half of the lifetime", {}, 12],
    ["less as time passes", { now: new Date("2026-01-01T10:00:00Z") }, 2],
    ["nothing once it is due", { now: new Date("2026-01-01T13:00:00Z") }, 0],
    ["nothing after the end", { now: new Date("2026-02-01T00:00:00Z") }, 0],
    ["CA-31: all of it as reserve", { graceRatio: 1 }, 0],
    ["CA-31: none as reserve", { graceRatio: 0 }, 24],
    ["CA-31: jitter, lowest", { jitterRatio: 0.25, random: 0 }, 18],
    ["CA-31: jitter, highest", { jitterRatio: 0.25, random: 1 }, 6],
    ["CA-31: a reserve above 1 is 1", { graceRatio: 1, jitterRatio: 0.5, random: 1 }, 0],
  ];
for (const [what, options, hours] of cases) {
  test(`waits ${what}`, () => {
    const delay = renewalDelay({ issuedAt, notAfter }, { now: issuedAt, ...steady, ...options });
    assert.equal(delay, hours * HOUR_MS);
  });
}

test("ratios outside 0 to 1 are a defect", () => {
  for (const ratio of [-0.1, 1.1, Number.NaN]) {
    const options = { now: issuedAt, ...steady, graceRatio: ratio };
    assert.throws(() => renewalDelay({ issuedAt, notAfter }, options), RangeError);
  }
});

test("the delay is never negative, and never beyond the end", () => {
  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(ratio, ratio, ratio, fc.nat(100_000_000), (grace, jitter, random, elapsedMs) => {
      const now = new Date(issuedAt.getTime() + elapsedMs);
      const options = { now, graceRatio: grace, jitterRatio: jitter, random };
      const delay = renewalDelay({ issuedAt, notAfter }, options);
      assert.ok(delay >= 0);
      assert.ok(delay <= Math.max(0, notAfter.getTime() - now.getTime()) + 1);
    }),
  );
});
