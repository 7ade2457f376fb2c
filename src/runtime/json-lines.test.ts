import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";

test("what is written is read, however the bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.json()), fc.integer({ min: 1, max: 7 }), async (texts, size) => {
      const values = texts.map((text): unknown => JSON.parse(text));
      const written = new PassThrough();
      for (const value of values) writeJsonLine(written, value);
      const bytes: Buffer = written.read() ?? Buffer.alloc(0);
      const stream = new PassThrough();
      const received: unknown[] = [];
      readJsonLines(stream, (value) => received.push(value));
      for (let at = 0; at < bytes.length; at += size) stream.write(bytes.subarray(at, at + size));
      stream.end();
      await new Promise((resolve) => stream.once("end", resolve));
      assert.deepEqual(received, values);
    }),
    { numRuns: 50 },
  );
});

test("a line that is no JSON ends the conversation", async () => {
  const stream = new PassThrough();
  const failed = new Promise<Error>((resolve) => stream.once("error", resolve));
  readJsonLines(stream, () => assert.fail("nothing may be received"));
  stream.write("{nonsense\n");
  assert.match((await failed).message, /not JSON/);
});

test("a line longer than agreed ends the conversation", async () => {
  const stream = new PassThrough();
  const failed = new Promise<Error>((resolve) => stream.once("error", resolve));
  const received: unknown[] = [];
  readJsonLines(stream, (value) => received.push(value), { maxLineCharacters: 20 });
  stream.write('"short"\n');
  stream.write(`"${"x".repeat(30)}`);
  assert.match((await failed).message, /longer than 20/);
  assert.deepEqual(received, ["short"]);
});
