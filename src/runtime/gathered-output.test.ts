import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../../test/kit/eventually.ts";
import { createDeferred } from "./deferred.ts";
import { GatheredOutput } from "./gathered-output.ts";
import { LineBytes } from "./line-bytes.ts";
import type { LogTrouble } from "./line-losses.ts";

class TakingFile {
  readonly writes: string[] = [];
  /** What a write waits for. */
  gate: Promise<void> = Promise.resolve();
  async append(bytes: Uint8Array): Promise<void> {
    await this.gate;
    this.writes.push(Buffer.from(bytes).toString());
  }
  writeNow(bytes: Uint8Array): void {
    this.writes.push(Buffer.from(bytes).toString());
  }
}

function gathering(bounds = { writeAt: 1_000, pauseMs: 500, keepAtMost: 2_000 }) {
  const file = new TakingFile();
  const troubles: LogTrouble[] = [];
  const onTrouble = (trouble: LogTrouble) => void troubles.push(trouble);
  return { file, troubles, output: new GatheredOutput({ file, onTrouble, bounds }) };
}

test("after a rest, what one turn brings is written at its end", async () => {
  const { file, output } = gathering();
  output.add("one");
  output.add("two");
  assert.deepEqual(file.writes, []);
  await setImmediate();
  assert.deepEqual(file.writes, ["one\ntwo\n"]);
});

test("what comes soon after a write waits for more, but not for long", async () => {
  const { file, output } = gathering();
  output.add("first");
  await setImmediate();
  output.add("one");
  await delay(10);
  output.add("two");
  assert.deepEqual(file.writes, ["first\n"]);
  await eventually("the next write", () => file.writes[1]);
  assert.deepEqual(file.writes, ["first\n", "one\ntwo\n"]);
});

test("much is written without waiting, but not within the call that brought the last", async () => {
  const { file, output } = gathering({ writeAt: 20, pauseMs: 60_000, keepAtMost: 1_000 });
  output.add("first");
  await setImmediate();
  output.add("a".repeat(30));
  assert.equal(file.writes.length, 1);
  await setImmediate();
  assert.equal(file.writes[1], `${"a".repeat(30)}\n`);
});

test("while a write takes its time lines are kept up to a bound, then lost, and both is told once", async () => {
  const { file, output, troubles } = gathering();
  const gate = createDeferred<void>();
  file.gate = gate.promise;
  output.add("first");
  await setImmediate();
  for (let index = 0; index < 100; index++) output.add("x".repeat(99));
  assert.deepEqual(troubles, [{ type: "not-written", problem: "it takes too long" }]);
  gate.resolve();
  const kept = await eventually("the rest", () => file.writes[1]);
  assert.match(kept, /^(x{99}\n){15,20}$/);
  await eventually("how many are lost", () => troubles[1]);
  assert.deepEqual(troubles[1], { type: "written-again", lostLines: 100 - kept.length / 100 });
});

test("however much came during a write, the next ones take it at once and in order, and the file has all of it", async () => {
  const { file, output } = gathering({ writeAt: 40_000, pauseMs: 60_000, keepAtMost: 1_000_000 });
  const gate = createDeferred<void>();
  file.gate = gate.promise;
  output.add("first");
  await setImmediate();
  const lines = Array.from({ length: 300 }, (_, index) => `${index} `.repeat(1 + (index % 200)));
  lines.push("x".repeat(100_000), "last");
  for (const line of lines) output.add(line);
  gate.resolve();
  const expected = ["first", ...lines].map((line) => `${line}\n`).join("");
  await eventually("all of them", () => file.writes.join("").length >= expected.length);
  assert.equal(file.writes.join(""), expected);
  assert.ok(file.writes.length < 15, `${file.writes.length} writes`);
});

test("what the file refuses is lost and counted", async () => {
  const { file, output, troubles } = gathering();
  const gate = createDeferred<void>();
  file.gate = gate.promise;
  output.add("one");
  output.add("two");
  await setImmediate();
  gate.reject(new Error("no space left"));
  await eventually("the loss", () => troubles[0]);
  file.gate = Promise.resolve();
  output.add("three");
  await eventually("the end of it", () => troubles[1]);
  assert.deepEqual(troubles, [
    { type: "not-written", problem: "no space left" },
    { type: "written-again", lostLines: 2 },
  ]);
  assert.deepEqual(file.writes, ["three\n"]);
});

test("law: all lines are written, once and in order, whatever characters they have", async () => {
  const lines = fc.array(fc.tuple(fc.string({ unit: "grapheme", maxLength: 300 }), fc.nat(3)), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(lines, async (added) => {
      const bounds = { writeAt: 500, pauseMs: 1, keepAtMost: 1_000_000 };
      const { file, output } = gathering(bounds);
      for (const [line, turns] of added) {
        output.add(line);
        for (let turn = 0; turn < turns; turn++) await setImmediate();
      }
      await delay(0);
      output.flushNow();
      const written = file.writes.join("");
      assert.equal(written, added.map(([line]) => `${line}\n`).join(""));
    }),
    { numRuns: 40 },
  );
});

test("a line that was lent as bytes is written as it was then", async () => {
  const { file, output } = gathering();
  const line = new LineBytes();
  for (const said of ["one", "another", "ü"]) {
    line.begin();
    line.text(said);
    output.add(line);
  }
  line.begin();
  await setImmediate();
  assert.deepEqual(file.writes, ["one\nanother\nü\n"]);
});

test("at the end of the process nothing is left", () => {
  const { file, output } = gathering();
  output.add("one");
  output.flushNow();
  assert.deepEqual(file.writes, ["one\n"]);
});
