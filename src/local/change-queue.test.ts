import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createDeferred } from "../runtime/deferred.ts";
import { ChangeQueue } from "./change-queue.ts";

test("a change hears that another is wished, and the other waits for its end", async () => {
  const changes = new ChangeQueue();
  const order: string[] = [];
  const goOn = createDeferred<void>();
  const begun = createDeferred<void>();
  const first = changes.change(async (isWanted) => {
    order.push(`first is wanted: ${isWanted()}`);
    begun.resolve();
    await goOn.promise;
    order.push(`first is wanted: ${isWanted()}`);
  });
  await begun.promise;
  const second = changes.change(async (isWanted) => {
    order.push(`second is wanted: ${isWanted()}`);
  });
  goOn.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, [
    "first is wanted: true",
    "first is wanted: false",
    "second is wanted: true",
  ]);
});

const disturbances: [what: string, by: (changes: ChangeQueue) => void, isWanted: boolean][] = [
  ["work without a wish", (changes) => void changes.inTurn(async () => undefined), true],
  ["a wish", (changes) => changes.wish(), false],
  ["the end of the mesh", (changes) => void changes.close(), false],
];
for (const [what, disturb, expected] of disturbances) {
  test(`a change under way is ${expected ? "still" : "no longer"} wanted after ${what}`, async () => {
    const changes = new ChangeQueue();
    let wanted: boolean | undefined;
    await changes.change(async (isWanted) => {
      disturb(changes);
      wanted = isWanted();
    });
    assert.equal(wanted, expected);
  });
}

test("one that fails tells who asked for it, and nobody else", async () => {
  const changes = new ChangeQueue();
  const failing = changes.change(() => Promise.reject(new Error("no port left")));
  const next = changes.inTurn(async () => undefined);
  await assert.rejects(failing, /no port left/);
  await next;
  await changes.close();
});

test("once closed, what is under way ends, and nothing begins", async () => {
  const changes = new ChangeQueue();
  const order: string[] = [];
  const goOn = createDeferred<void>();
  const begun = createDeferred<void>();
  const underWay = changes.change(async () => {
    begun.resolve();
    await goOn.promise;
    order.push("under way has ended");
  });
  const waiting = changes.change(async () => {
    order.push("waiting has begun");
  });
  await begun.promise;
  const closed = changes.close().then(() => order.push("closed"));
  assert.equal(changes.closing.aborted, true);
  goOn.resolve();
  await Promise.all([
    underWay,
    waiting,
    closed,
    changes.inTurn(async () => void order.push("late")),
  ]);
  assert.deepEqual(order, ["under way has ended", "closed"]);
});

test("as many may wait for the end as there are pods", async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error): void => void warnings.push(warning);
  process.on("warning", hear);
  const { closing } = new ChangeQueue();
  for (let pod = 0; pod < 30; pod++) closing.addEventListener("abort", () => undefined);
  await turn();
  process.off("warning", hear);
  assert.deepEqual(warnings, []);
});
