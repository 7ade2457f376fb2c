import assert from "node:assert/strict";
import { test } from "node:test";
import { type Detector, detectHttp, detectTls, detectTlsOrHttp } from "./protocol-detection.ts";

const cases: [what: string, text: string, expected: "http" | "tcp" | undefined][] = [
  ["nothing", "", undefined],
  ["the beginning of a method", "DEL", undefined],
  ["a method", "GET ", undefined],
  ["half a request line", "GET /index.html HTT", undefined],
  ["a request line", "GET / HTTP/1.1\r\n", "http"],
  ["a request line of HTTP/1.0", "GET / HTTP/1.0\r\n", "http"],
  ["a long target without an end", `GET /${"x".repeat(9_000)}`, "http"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "tcp"],
  ["HTTP/0.9", "GET /\r\n", "tcp"],
  ["an unknown method", "FETCH / HTTP/1.1\r\n", "tcp"],
  ["a lower-case method", "get / HTTP/1.1\r\n", "tcp"],
  ["Redis", "*1\r\n$4\r\nPING\r\n", "tcp"],
  ["PostgreSQL", "\0\0\0\x08\x04\xd2\x16\x2f", "tcp"],
];
for (const [what, text, expected] of cases) {
  test(`${what} is ${expected ?? "not known yet"}`, () => {
    const bytes = Buffer.from(text, "latin1");
    assert.equal(detectHttp(bytes)?.kind, expected);
    assert.equal(detectTlsOrHttp(bytes)?.kind, expected);
  });
}

test("where the plaintext protocol is declared only TLS is looked for", () => {
  assert.equal(detectTls(Buffer.from("G"))?.kind, "tcp");
  assert.equal(detectTls(Buffer.alloc(0)), undefined);
});

const tls: [what: string, detect: Detector][] = [
  ["detectTls", detectTls],
  ["detectTlsOrHttp", detectTlsOrHttp],
];
for (const [what, detect] of tls) {
  test(`${what} waits for the rest of what may be a ClientHello`, () => {
    assert.equal(detect(Buffer.from([22, 3, 1])), undefined);
  });
  test(`${what} takes a broken ClientHello for plain bytes`, () => {
    assert.equal(detect(Buffer.from([22, 9, 9, 9, 9, 9]))?.kind, "tcp");
  });
}
