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
