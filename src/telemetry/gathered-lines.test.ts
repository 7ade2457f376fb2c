import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { GatheredLines, type LineSink } from "./gathered-lines.ts";

class Sink implements LineSink {
  readonly writes: string[] = [];
  closed = false;
  /** What a write waits for. */
  gate: Promise<void> = Promise.resolve();
  async write(lines: string): Promise<void> {
    await this.gate;
    this.writes.push(lines);
  }
  writeNow(lines: string): void {
    this.writes.push(lines);
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

const BOUNDS = { writeAt: 20, writeAfterMs: 30, keepAtMost: 40 };

function gathering(bounds = BOUNDS): {
  readonly lines: GatheredLines;
  readonly sink: Sink;
  readonly log: ReturnType<typeof recordedLog>;
} {
  const sink = new Sink();
  const log = recordedLog();
  return { sink, log, lines: new GatheredLines({ sink, name: "a.log", log, bounds }) };
}

test("lines are written together, a while after the first", async () => {
  const { lines, sink } = gathering();
  lines.add("one");
  lines.add("two");
  assert.deepEqual(sink.writes, []);
  await eventually("a write", () => sink.writes[0]);
  assert.deepEqual(sink.writes, ["one\ntwo"]);
});

test("many lines are written at once, but not within the call that brought the last", async () => {
  const { lines, sink } = gathering({ ...BOUNDS, writeAfterMs: 60_000 });
  lines.add("a".repeat(25));
  assert.deepEqual(sink.writes, []);
  await eventually("a write", () => sink.writes[0]);
});

test("while a write takes its time lines are kept up to a bound, then lost, and both is told once", async () => {
  const { lines, sink, log } = gathering();
  const gate = createDeferred<void>();
  sink.gate = gate.promise;
  lines.add("first".padEnd(25, "."));
  await delay(10);
  for (let number = 0; number < 10; number++) lines.add(`line ${number}`);
  gate.resolve();
  await lines.close();
  assert.equal(sink.writes.length, 2);
  assert.equal(sink.writes[1]?.split("\n").length, 5);
  assert.equal(log.find("access log lines are lost").length, 1);
  assert.deepEqual(log.find("an access log is written again")[0]?.fields, {
    file: "a.log",
    lost: 5,
  });
});

test("a write that fails is told once, and when it is over how many lines were lost", async () => {
  const { lines, sink, log } = gathering();
  const write = sink.write.bind(sink);
  sink.write = () => Promise.reject(new Error("no space"));
  for (const line of ["one", "two"]) {
    lines.add(line);
    await lines.flush();
  }
  sink.write = write;
  lines.add("three");
  await lines.flush();
  assert.equal(log.find("an access log cannot be written").length, 1);
  assert.deepEqual(log.find("an access log is written again")[0]?.fields, {
    file: "a.log",
    lost: 2,
  });
  assert.deepEqual(sink.writes, ["three"]);
});

test("closing writes everything, in order, though several ask for it", async () => {
  const { lines, sink } = gathering({ ...BOUNDS, keepAtMost: 1_000 });
  for (let number = 0; number < 20; number++) {
    lines.add(`line ${number}`);
    if (number % 5 === 0) void lines.flush();
  }
  await Promise.all([lines.flush(), lines.close()]);
  const all = Array.from({ length: 20 }, (_, number) => `line ${number}`);
  assert.deepEqual(sink.writes.join("\n").split("\n"), all);
  assert.equal(sink.closed, true);
});

test("at the end of the process what is left is written at once", () => {
  const { lines, sink } = gathering();
  lines.add("last words");
  lines.flushNow();
  assert.deepEqual(sink.writes, ["last words"]);
});
