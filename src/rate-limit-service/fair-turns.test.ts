/** Who is answered next, where many ask at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as look } from "node:timers/promises";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { FairTurns, LONGEST_LINE, QUESTIONS_AT_ONCE } from "./fair-turns.ts";

function ask(turns: FairTurns<string>, served: string[], ...ids: readonly string[]): void {
  for (const id of ids) void turns.next(id).then(() => served.push(id));
}

test("few questions wait for nothing", async () => {
  const served: string[] = [];
  const turns = new FairTurns<string>();
  for (let time = 0; time < 3; time++) {
    ask(turns, served, ...Array<string>(QUESTIONS_AT_ONCE).fill("a"));
    await Promise.resolve();
    assert.equal(served.length, (time + 1) * QUESTIONS_AT_ONCE);
    await look();
  }
});

test("who asks once waits for one question of each other identity, not for all of them", async () => {
  const served: string[] = [];
  const turns = new FairTurns<string>();
  ask(turns, served, ...Array<string>(200).fill("greedy"), ...Array<string>(200).fill("also"));
  await look();
  ask(turns, served, "modest");
  const before = served.length;
  while (!served.includes("modest")) await look();
  assert.ok(served.indexOf("modest") - before <= 2 + QUESTIONS_AT_ONCE, served.join(" "));
  while (served.length < 401) await look();
  assert.equal(served.filter((id) => id === "also").length, 200);
});

test("between few questions the process looks at what else has come", async () => {
  const served: string[] = [];
  ask(new FairTurns<string>(), served, ...Array<string>(20).fill("a"));
  for (let looks = 1; served.length < 20; looks++) {
    await look();
    assert.ok(served.length <= (looks + 1) * QUESTIONS_AT_ONCE, `${served.length} of ${looks}`);
  }
});

test("a line has an end, for that identity alone", async () => {
  const turns = new FairTurns<string>();
  const served: string[] = [];
  ask(turns, served, ...Array<string>(QUESTIONS_AT_ONCE + LONGEST_LINE).fill("a"));
  await assert.rejects(
    turns.next("a"),
    (error) => error instanceof GrpcStatusError && error.status === "RESOURCE_EXHAUSTED",
  );
  ask(turns, served, "b");
  while (!served.includes("b")) await look();
  while (served.length < QUESTIONS_AT_ONCE + LONGEST_LINE + 1) await look();
});
