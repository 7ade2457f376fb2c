import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { ChangePace } from "./change-pace.ts";

/** Far longer than the tests take. */
const NEVER_MS = 600_000;

interface Paced {
  /** The newest change as of each piece of work. */
  readonly done: readonly number[];
  change(): void;
}

function paced(limits: ConstructorParameters<typeof ChangePace>[1]): Paced {
  const done: number[] = [];
  let changes = 0;
  const pace = new ChangePace(() => done.push(changes), limits);
  const change = (): void => {
    changes++;
    pace.changed();
  };
  return { done, change };
}

test("the first change is worked off in the next turn, together with all others of its own", async () => {
  const { done, change } = paced({ firstMs: NEVER_MS, longestMs: NEVER_MS });
  for (let count = 0; count < 3; count++) change();
  assert.deepEqual(done, []);
  await turn();
  assert.deepEqual(done, [3]);
});

test("those on its heels are worked off together, and the last of them is among them", async () => {
  const { done, change } = paced({ firstMs: 500, longestMs: 500 });
  change();
  await turn();
  for (let count = 0; count < 10; count++) {
    change();
    await turn();
  }
  assert.deepEqual(done, [1]);
  await eventually("the rest", () => done.length > 1);
  assert.deepEqual(done, [1, 11]);
});

test("a burst of 1,000 changes comes to a bounded number of pieces of work", async () => {
  const [firstMs, longestMs] = [10, 100];
  const { done, change } = paced({ firstMs, longestMs });
  const startedAt = performance.now();
  for (let count = 0; count < 1_000; count++) {
    change();
    await turn();
  }
  await eventually("the last", () => done.at(-1) === 1_000);
  const tookMs = performance.now() - startedAt;
  // After 0, 10, 30, 70, 150 ms, and then every 100 ms; more where the machine itself makes pauses.
  assert.ok(done.length <= 20 + tookMs / longestMs, `${done.length} in ${tookMs.toFixed(0)} ms`);
});

test("after a rest a change is worked off at once again", async () => {
  const { done, change } = paced({ firstMs: 1, longestMs: NEVER_MS });
  change();
  await turn();
  const until = performance.now() + 5;
  await eventually("a rest", () => performance.now() > until);
  change();
  await turn();
  assert.deepEqual(done, [1, 2]);
});
