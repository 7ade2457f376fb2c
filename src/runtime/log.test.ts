import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";
import { createLog, LOG_LEVELS, type LogLevel, logWith } from "./log.ts";
import { WatchedValue } from "./watched.ts";

test("what is less important than the threshold is not written, whenever the threshold changes", () => {
  const lines: string[] = [];
  const threshold = new WatchedValue<LogLevel>("info");
  const log = createLog((line) => lines.push(line), systemClock, threshold);
  for (const [at, level] of LOG_LEVELS.entries()) {
    threshold.set(level);
    for (const one of LOG_LEVELS) log[one](`${one} at ${level}`);
    const written = lines.splice(0).map((line) => JSON.parse(line).level);
    assert.deepEqual(written, LOG_LEVELS.slice(at));
  }
});

test("a log that nobody set a level for is at info", () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), systemClock);
  log.debug("unseen");
  log.info("seen");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).message),
    ["seen"],
  );
});

test("fields that are always told stand in every line, and give way to the line's own", () => {
  const lines: string[] = [];
  const log = logWith(
    createLog((line) => lines.push(line), systemClock),
    { process: 2, of: 3 },
  );
  log.info("one");
  log.warn("two", { of: 4 });
  const told = lines.map((line) => JSON.parse(line)).map(({ time: _, ...rest }) => rest);
  assert.deepEqual(told, [
    { level: "info", message: "one", process: 2, of: 3 },
    { level: "warn", message: "two", process: 2, of: 4 },
  ]);
});
