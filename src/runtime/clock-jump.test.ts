import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { watchClockJumps } from "./clock-jump.ts";

test("a clock that jumps is noticed within a second, either way; one that is slewed is not", async () => {
  const clock = { shiftMs: 0, now: () => new Date(Date.now() + clock.shiftMs) };
  const jumps: number[] = [];
  const end = watchClockJumps(clock, (jumpMs) => jumps.push(jumpMs));
  const begun = performance.now();
  clock.shiftMs = 3_600_000;
  await eventually("the jump", () => jumps.length === 1);
  assert.ok(performance.now() - begun < 1_000);
  assert.ok(Math.abs((jumps[0] ?? 0) - 3_600_000) < 1_000, `${jumps[0]}`);
  clock.shiftMs = -60_000;
  await eventually("the jump back", () => jumps.length === 2);
  assert.ok((jumps[1] ?? 0) < -3_600_000);
  clock.shiftMs += 500;
  await delay(1_100);
  end();
  clock.shiftMs = 0;
  await delay(700);
  assert.equal(jumps.length, 2);
});
