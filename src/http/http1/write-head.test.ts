import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequests, readResponses } from "../../../test/kit/read-http1.ts";
import { RequestHead } from "./request-head.ts";
import { ANSWERS } from "./response-head.ts";
import {
  copyField,
  writeField,
  writeLineEnd,
  writeRequestLine,
  writeStatusLine,
} from "./write-head.ts";

const target = Buffer.alloc(1_024);

test("a head made line by line is read as it was meant", () => {
  const received = new RequestHead();
  const bytes = Buffer.from(
    `GET / HTTP/1.1\r\nHost:a\r\nX-Y: \t${"b".repeat(200)}\xff \r\n\r\n`,
    "latin1",
  );
  received.scan(bytes, 0, bytes.length);
  let end = writeRequestLine(target, 0, { method: "POST", target: "/a?b" });
  for (let at = 0; at < received.count; at++) end = copyField(received, at, { target, at: end });
  end = writeField(target, end, ["content-length", "0"]);
  end = writeLineEnd(target, end);
  const { messages, outcome } = readRequests(target.subarray(0, end));
  assert.equal(outcome, "idle");
  assert.equal(messages[0]?.line, "POST /a?b 1.1");
  const fields = ["Host", "a", "X-Y", `${"b".repeat(200)}\xff`, "content-length", "0"];
  assert.deepEqual(messages[0]?.fields, fields);
});

for (const [status, line] of [
  [404, "404 Not Found 1.1"],
  [299, "299  1.1"],
] as const) {
  test(`the status line of ${status}`, () => {
    const end = writeLineEnd(target, writeStatusLine(target, 0, status));
    assert.equal(readResponses(target.subarray(0, end), ANSWERS.head).messages[0]?.line, line);
  });
}

test("QK-16: no line can be made that is two", () => {
  const wrong: (() => number)[] = [
    () => writeRequestLine(target, 0, { method: "G T", target: "/" }),
    () => writeRequestLine(target, 0, { method: "", target: "/" }),
    () => writeRequestLine(target, 0, { method: "GET", target: "" }),
    () => writeRequestLine(target, 0, { method: "GET", target: "/ HTTP/1.1\r\nX: " }),
    () => writeStatusLine(target, 0, 99),
    () => writeStatusLine(target, 0, 600),
    () => writeField(target, 0, ["", "a"]),
    () => writeField(target, 0, ["a:", "a"]),
    () => writeField(target, 0, ["a", "a\r\nb: c"]),
  ];
  for (const write of wrong) assert.throws(write, RangeError, write.toString());
});
