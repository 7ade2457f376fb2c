import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { BoundedWarning } from "./bounded-warning.ts";

test("several may be told at once, and as many again after a while in which nothing was left out", async () => {
  const log = recordedLog();
  const warning = new BoundedWarning(log, { message: "no", intervalMs: 40, atOnce: 3 });
  for (let index = 0; index < 10; index++) warning.warn({ index });
  assert.deepEqual(
    log.lines.map(({ fields }) => fields["index"]),
    [0, 1, 2],
  );
  await eventually("the summary", () => log.lines.length === 4);
  assert.equal(log.lines[3]?.fields["count"], 7);
  await eventually("a line that comes back", () => {
    warning.warn({ index: "late" });
    return log.lines.length > 4;
  });
  const told = log.lines.length;
  await delay(400);
  const since = log.lines.length;
  for (let index = 0; index < 10; index++) warning.warn({ index });
  assert.equal(log.lines.length - since, 3, `${told} lines before`);
});

test("the first is told at once, the rest as one line that counts them and says most", async () => {
  const log = recordedLog();
  const warning = new BoundedWarning(log, { message: "too much", intervalMs: 50 });
  warning.warn({ from: "a", who: undefined });
  warning.warn({ from: "b", who: "somebody" });
  for (let index = 0; index < 500; index++) warning.warn({ from: "c", who: undefined });
  assert.deepEqual(
    log.lines.map(({ fields }) => fields),
    [{ from: "a", who: undefined }],
  );
  await eventually("the summary", () => log.lines.length === 2);
  assert.deepEqual(log.lines[1]?.fields, { from: "b", who: "somebody", count: 501 });
  await delay(120);
  assert.equal(log.lines.length, 2);
  warning.warn({ from: "d" });
  assert.deepEqual(log.lines[2]?.fields, { from: "d" });
});
