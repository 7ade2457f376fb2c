/** The judge's own eye: where a strict reader sees a request end, and what it takes for none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reading, readRequest } from "./strict-message.ts";

const HEAD = "POST /a HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const NEXT = "GET /b";

const whole: readonly (readonly [rule: string, text: string, body: string])[] = [
  ["RFC 9112 6.3", `${HEAD}\r\n`, ""],
  ["RFC 9112 6.2", `${HEAD}Content-Length: 3\r\n\r\nabc`, "abc"],
  ["RFC 9112 6.3", `${HEAD}Content-Length: 3, 03\r\n\r\nabc`, "abc"],
  ["RFC 9112 7.1", `${CHUNKED}2\r\nab\r\n0\r\n\r\n`, "ab"],
  ["RFC 9112 7.1", `${CHUNKED}0002;x="\\"";y\r\nab\r\n00\r\nT: u\r\n\r\n`, "ab"],
  ["RFC 9112 7", `${HEAD}Transfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n`, ""],
  ["RFC 9112 2.2", `\r\n${HEAD}\r\n`, ""],
];
for (const [rule, text, body] of whole) {
  test(`${rule}: ${JSON.stringify(text)} is one request`, () => {
    const reading = readRequest(text + NEXT, 0);
    assert.equal(reading.kind, "request");
    assert.deepEqual(endOf(reading), [text.length, body, undefined]);
  });
}

const malformed: readonly (readonly [rule: string, text: string])[] = [
  ["RFC 9112 3.2", "GET /a HTTP/1.1\r\n\r\n"],
  ["RFC 9112 3.2", `${HEAD}Host: b\r\n\r\n`],
  ["RFC 9112 3.2.4", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["RFC 9112 3", "GET  /a HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["RFC 9112 2.3", "GET /a HTTP/2.0\r\nHost: a\r\n\r\n"],
  ["RFC 9112 5.1", `${HEAD}X : y\r\n\r\n`],
  ["RFC 9112 5.2", `${HEAD}X: y\r\n z\r\n\r\n`],
  ["RFC 9112 7.1.1", `${CHUNKED}2;a=\r\nab\r\n0\r\n\r\n`],
];
for (const [rule, text] of malformed) {
  test(`${rule}: ${JSON.stringify(text)} must be refused, and ends for all at one place`, () => {
    const [end, , problem] = endOf(readRequest(text + NEXT, 0));
    assert.equal(end, text.length);
    assert.notEqual(problem, undefined);
  });
}

const refused: readonly (readonly [about: "lines" | "framing", text: string])[] = [
  ["lines", `${HEAD}X: y\nZ: 1\r\n\r\n`],
  ["lines", `${HEAD}X: y\rZ: 1\r\n\r\n`],
  ["lines", `${CHUNKED}2\nab\r\n0\r\n\r\n`],
  ["lines", `${CHUNKED}0x2\r\nab\r\n0\r\n\r\n`],
  ["lines", `${CHUNKED}10000000000000002\r\nab\r\n0\r\n\r\n`],
  ["lines", `${CHUNKED}2\r\nabc\r\n0\r\n\r\n`],
  ["framing", `${HEAD}X: y\nContent-Length: 1\r\n\r\n`],
  ["framing", `${HEAD}Content-Length : 1\r\n\r\n`],
  ["framing", `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ["framing", `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ["framing", `${HEAD}Content-Length: +1\r\n\r\n`],
  ["framing", `${HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n`],
  ["framing", `${HEAD}Transfer-Encoding: xchunked\r\n\r\n`],
  ["framing", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"],
];
for (const [about, text] of refused) {
  test(`QK-16: ${JSON.stringify(text)} is no request (${about})`, () => {
    const reading = readRequest(text + NEXT, 0);
    assert.equal(reading.kind === "refused" && reading.about, about);
  });
}

test("every shorter beginning of a request is incomplete", () => {
  const text = `${CHUNKED}2;a=b\r\nab\r\n0\r\nT: u\r\n\r\n`;
  for (let end = 0; end < text.length; end++) {
    assert.equal(readRequest(text.slice(0, end), 0).kind, "incomplete", String(end));
  }
});

function endOf(
  reading: Reading,
): readonly [end: number | undefined, body: string, problem: string | undefined] {
  if (reading.kind !== "request") return [undefined, "", undefined];
  return [reading.end, reading.request.body, reading.request.problem];
}
