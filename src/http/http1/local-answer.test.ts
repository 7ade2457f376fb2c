import assert from "node:assert/strict";
import { test } from "node:test";
import { readResponses } from "../../../test/kit/read-http1.ts";
import { LocalAnswer } from "./local-answer.ts";
import { ANSWERS } from "./response-head.ts";
import { MAX_CHUNK_SIZE_BYTES, writeChunkSize } from "./written-lines.ts";

const DATE = "Tue, 15 Nov 1994 08:12:31 GMT";
const denied = new LocalAnswer({ status: 403, body: "verbötet\n", fields: ["X-A", "1"] });

for (const afterwards of ["keep", "close"] as const) {
  for (const content of ["whole", "head only"] as const) {
    test(`an answer of our own that is ${content}, then ${afterwards}`, () => {
      const target = Buffer.alloc(denied.maxBytes + 2);
      const end = denied.write(target, 2, { afterwards, content, date: DATE });
      const answers = content === "whole" ? ANSWERS.plain : ANSWERS.head;
      const { messages, outcome } = readResponses(target.subarray(2, end), answers);
      assert.equal(outcome, afterwards === "keep" ? "idle" : "last");
      assert.equal(messages[0]?.line, "403 Forbidden 1.1");
      assert.deepEqual(messages[0]?.fields, [
        ...["Date", DATE, "Content-Type", "text/plain", "Content-Length", "10", "X-A", "1"],
        ...["Connection", afterwards === "keep" ? "keep-alive" : "close"],
      ]);
      const body = Buffer.from(messages[0]?.body ?? "", "latin1").toString();
      assert.equal(body, content === "whole" ? "verbötet\n" : "");
    });
  }
}

test("an answer of our own is of the type that its fields say", () => {
  const fields = ["content-type", "application/grpc", "grpc-status", "7"];
  const answer = new LocalAnswer({ status: 200, body: "", fields });
  const target = Buffer.alloc(answer.maxBytes);
  answer.write(target, 0, { afterwards: "keep", content: "whole", date: DATE });
  assert.deepEqual(target.toString().match(/content-type: .*/gi), [
    "content-type: application/grpc",
  ]);
});

for (const status of [200, 599]) {
  test(`an answer of our own with status ${status}`, () => {
    assert.equal(new LocalAnswer({ status, body: "" }).status, status);
  });
}

test("an answer that could not be sent as it is cannot be made", () => {
  for (const fields of [
    ["X", "a\r\nb"],
    ["X:", "a"],
    ["", "\n"],
  ]) {
    assert.throws(() => new LocalAnswer({ status: 403, body: "", fields }), RangeError);
  }
  for (const status of [100, 204, 205, 304, 600]) {
    assert.throws(() => new LocalAnswer({ status, body: "" }), RangeError);
  }
  const target = Buffer.alloc(denied.maxBytes);
  const short = { afterwards: "keep", content: "whole", date: "now" } as const;
  assert.throws(() => denied.write(target, 0, short), RangeError);
});

for (const size of [1, 9, 10, 15, 16, 255, 256, 65_535, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
  test(`the line of a chunk of ${size} bytes`, () => {
    const target = Buffer.alloc(MAX_CHUNK_SIZE_BYTES);
    const end = writeChunkSize(target, 0, size);
    assert.equal(target.toString("latin1", 0, end), `${size.toString(16)}\r\n`);
  });
}

test("no line is written for a chunk of size 0, which would be the last", () => {
  for (const size of [0, -1, Number.NaN, 2 ** 53]) {
    assert.throws(() => writeChunkSize(Buffer.alloc(20), 0, size), RangeError);
  }
});
