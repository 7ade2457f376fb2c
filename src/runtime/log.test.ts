import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";
import { createLog, LOG_LEVELS, type LogLevel } from "./log.ts";
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
