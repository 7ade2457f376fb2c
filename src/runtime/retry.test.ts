import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { backoffDelay, retry } from "./retry.ts";

test("the delay grows, stays under the cap and never falls below half of it", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const delay = backoffDelay(attempt, { baseMs: 100, maxMs: 5_000 }, random);
      const full = Math.min(5_000, 100 * 2 ** Math.min(attempt, 30));
      assert.ok(delay >= full / 2 && delay <= full);
    }),
  );
});

const options = (signal: AbortSignal) => ({
  backoff: { baseMs: 1, maxMs: 2 },
  signal,
  random: () => 0,
});

test("retries until it succeeds and reports every failure", async () => {
  const failures: unknown[] = [];
  let attempts = 0;
  const value = await retry(
    async () => {
      attempts++;
      if (attempts < 3) throw new Error(`attempt ${attempts}`);
      return "done";
    },
    { ...options(new AbortController().signal), onFailure: (error) => failures.push(error) },
  );
  assert.equal(value, "done");
  assert.deepEqual(failures.map(String), ["Error: attempt 1", "Error: attempt 2"]);
});

test("stops when aborted while waiting", async () => {
  const controller = new AbortController();
  const running = retry(() => Promise.reject(new Error("never")), {
    ...options(controller.signal),
    backoff: { baseMs: 60_000, maxMs: 60_000 },
    onFailure: () => controller.abort(),
  });
  await assert.rejects(running, { name: "AbortError" });
});
