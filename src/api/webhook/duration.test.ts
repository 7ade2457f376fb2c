import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDuration } from "./duration.ts";

const durations: [text: string, nanoseconds: number | undefined][] = [
  ["0", 0],
  ["1ns", 1],
  ["1.5us", 1500],
  ["2µs", 2000],
  ["1ms", 1e6],
  ["0.001s", 1e6],
  [".5s", 5e8],
  ["1.s", 1e9],
  ["1h30m", 5400e9],
  ["-1s", -1e9],
  ["0.0000005s", 500],
  ["1.0000000009s", 1e9],
  ["2562047h", 2562047 * 3600e9],
  ["2562048h", undefined],
  ["", undefined],
  ["1", undefined],
  ["s", undefined],
  [".s", undefined],
  ["1d", undefined],
  ["5e-07s", undefined],
  ["1s ", undefined],
];
for (const [text, nanoseconds] of durations) {
  test(`${JSON.stringify(text)} is ${nanoseconds ?? "no duration"}`, () => {
    assert.equal(parseDuration(text), nanoseconds);
  });
}

test("a duration of several units is the sum of its parts", () => {
  const amount = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(amount, amount, amount, (hours, seconds, milliseconds) => {
      const sum = hours * 3600e9 + seconds * 1e9 + milliseconds * 1e6;
      assert.equal(parseDuration(`${hours}h${seconds}s${milliseconds}ms`), sum);
    }),
  );
});
