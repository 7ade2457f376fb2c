import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventually } from "../../test/kit/eventually.ts";
import {
  CALLER_RESERVE,
  CertificateDeadlines,
  IDLE_CALLEE_RESERVE,
  LAST_ANSWER_RESERVE,
  retirementTime,
} from "./certificate-deadlines.ts";

const HOUR_MS = 3_600_000;
const chance = fc.double({ min: 0, max: 0.999_999, noNaN: true });

test("callers give a connection up before its callee tells them to, and that is before it closes an idle one", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 90 * 24 * HOUR_MS }),
      fc.tuple(chance, chance, chance),
      (leftMs, [first, second, third]) => {
        const now = new Date(1_700_000_000_000);
        const ends = new Date(now.getTime() + leftMs);
        const at = (reserve: typeof CALLER_RESERVE, random: number): number =>
          retirementTime(ends, { now, reserve, random }).getTime();
        const [caller, answer, idle] = [
          at(CALLER_RESERVE, first),
          at(LAST_ANSWER_RESERVE, second),
          at(IDLE_CALLEE_RESERVE, third),
        ];
        assert.ok(now.getTime() < caller, "a connection may be used for a while");
        assert.ok(caller < answer && answer < idle && idle < ends.getTime());
        assert.ok(ends.getTime() - caller <= 15 * 60_000);
      },
    ),
  );
});

test("a connection whose certificates have ended is given up at once", () => {
  const now = new Date(1_700_000_000_000);
  const ends = new Date(now.getTime() - HOUR_MS);
  assert.ok(retirementTime(ends, { now, reserve: CALLER_RESERVE, random: 0 }) <= now);
});

test("it goes by the wall clock, so that a machine that slept gives up what ended meanwhile", async () => {
  const clock = { shiftMs: 0, now: () => new Date(Date.now() + clock.shiftMs) };
  const deadlines = new CertificateDeadlines({ clock, random: () => 0 });
  const retired: string[] = [];
  const watch = (name: string, hours: number): (() => void) => {
    const ends = new Date(Date.now() + hours * HOUR_MS);
    return deadlines.watch(ends, IDLE_CALLEE_RESERVE, () => retired.push(name));
  };
  watch("one", 1);
  const forget = watch("closed meanwhile", 1);
  watch("three", 3);
  forget();
  clock.shiftMs = 2 * HOUR_MS;
  await eventually("the first", () => retired.length > 0);
  assert.deepEqual(retired, ["one"]);
  clock.shiftMs = 4 * HOUR_MS;
  await eventually("the second", () => retired.length > 1);
  assert.deepEqual(retired, ["one", "three"]);
});
