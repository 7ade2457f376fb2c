import assert from "node:assert/strict";
import { test } from "node:test";
import { RunningTrials } from "./running-trials.ts";

test("whoever answers in time is waited for, whoever fails or is late is not", async () => {
  const trials = new RunningTrials(20);
  const waits = [Promise.resolve(), Promise.reject(new Error("x")), new Promise<void>(() => {})];
  const done = waits.map((one) => trials.within(one));
  await trials.ended();
  await Promise.all(done);
  await trials.ended();
});

test("a question that nobody waits for any more is called off, and so many may be under way", async () => {
  const trials = new RunningTrials(20);
  let cancelled = 0;
  const question = {
    verdict: new Promise<never>(() => {}),
    cancel: () => {
      cancelled += 1;
    },
  };
  const answers = Array.from({ length: 1_000 }, () => trials.answerTo(question));
  assert.equal(trials.isFull, true);
  for (const { outcome } of await Promise.all(answers)) assert.equal(outcome, "failed");
  assert.equal(cancelled, 1_000);
  assert.equal(trials.isFull, false);
});
