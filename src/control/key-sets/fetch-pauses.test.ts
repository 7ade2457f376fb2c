import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchPauses } from "./fetch-pauses.ts";

/** Pauses of an issuer that is away for a time, at their longest. */
function pausesOf(awayMs: number, keys: "with keys" | "without keys"): readonly number[] {
  const pauses = new FetchPauses(() => 1);
  const waited: number[] = [];
  for (let nowMs = 1_000; nowMs <= 1_000 + awayMs; nowMs += waited.at(-1) ?? 0)
    waited.push(pauses.afterFailure(nowMs, keys));
  return waited;
}

test("an issuer that is away for up to a minute is asked again within 3 seconds", () => {
  const waited = pausesOf(60_000, "without keys");
  assert.deepEqual(waited.slice(0, 4), [500, 1_000, 2_000, 3_000]);
  assert.equal(Math.max(...waited), 3_000);
});

test("one that is away for longer is asked less and less often, each minute at last", () => {
  const waited = pausesOf(60 * 60_000, "without keys").filter((pause) => pause > 3_000);
  assert.deepEqual(waited.slice(0, 6), [6_000, 12_000, 24_000, 48_000, 60_000, 60_000]);
  assert.equal(Math.max(...waited), 60_000);
});

test("while the last keys are in use, up to five minutes", () => {
  const waited = pausesOf(60 * 60_000, "with keys");
  assert.deepEqual(waited.slice(0, 2), [10_000, 20_000]);
  assert.equal(Math.max(...waited), 300_000);
});

test("an answer begins it anew", () => {
  const pauses = new FetchPauses(() => 1);
  pauses.afterFailure(0, "without keys");
  pauses.afterFailure(100_000, "without keys");
  assert.equal(pauses.isFailing, true);
  assert.equal(pauses.afterSuccess(), 20 * 60_000);
  assert.equal(pauses.isFailing, false);
  assert.equal(pauses.afterFailure(200_000, "without keys"), 500);
});
