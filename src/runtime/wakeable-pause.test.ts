import assert from "node:assert/strict";
import { test } from "node:test";
import { WakeablePause } from "./wakeable-pause.ts";

const never = new AbortController().signal;

test("a pause lasts as long as it should when nobody wakes", async () => {
  const begun = performance.now();
  assert.equal(await new WakeablePause().last(50, never), "elapsed");
  assert.ok(performance.now() - begun >= 45);
});

test("waking ends it, also before it begins, and once only", async () => {
  const pause = new WakeablePause();
  const waiting = pause.last(60_000, never);
  pause.wake();
  assert.equal(await waiting, "woken");
  assert.equal(await pause.last(1, never), "elapsed");
  pause.wake();
  assert.equal(await pause.last(60_000, never), "woken");
  pause.wake();
  pause.forget();
  assert.equal(await pause.last(1, never), "elapsed");
});

test("an abort ends it with its reason", async () => {
  const stop = new AbortController();
  const waiting = new WakeablePause().last(60_000, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(new WakeablePause().last(1, stop.signal), /enough/);
});
