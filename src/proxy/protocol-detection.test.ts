import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Detector,
  detectHttp,
  detectHttp2Framing,
  detectHttpFraming,
  detectTls,
  detectTlsOrHttp,
  detectTlsOrHttp2Framing,
  detectTlsOrHttpFraming,
  stalledProtocol,
} from "./protocol-detection.ts";

/** RFC 9113 section 3.4. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const cases: [what: string, text: string, expected: "http" | "http2" | "tcp" | undefined][] = [
  ["nothing", "", undefined],
  ["the beginning of a method", "DEL", undefined],
  ["a method", "GET", undefined],
  ["a method and a space", "GET ", "http"],
  ["a method and no target, as node:http reads it", "CONNECT \r\n", "http"],
  ["a word that is a method, alone", "POST\r\n", "tcp"],
  ["what may become a method", "FETC", undefined],
  ["blank lines", "\r\n\r\n", undefined],
  ["a method and the beginning of a target", "GET /ind", "http"],
  ["an unknown method and a target", "FETCH /index.html HTTP/1.", undefined],
  ["a request line", "GET / HTTP/1.1\r\n", "http"],
  ["a request line of HTTP/1.0", "GET / HTTP/1.0\r\n", "http"],
  ["a request line behind blank lines", "\r\n\n\rGET / HTTP/1.1\r\n", "http"],
  ["a request line behind spaces", " \t\x0b\x0cPOST / HTTP/1.1\r\n", "http"],
  ["a request line with wide gaps", "GET \t  /  HTTP/1.1\r\n", "http"],
  ["a request line without a carriage return", "GET / HTTP/1.1\n", "http"],
  ["an absolute form", "GET http://api/ HTTP/1.1\r\n", "http"],
  ["an asterisk form", "OPTIONS * HTTP/1.1\r\n", "http"],
  ["an authority form", "CONNECT api:80 HTTP/1.1\r\n", "http"],
  ["a long target without an end", `GET /${"x".repeat(9_000)}`, "http"],
  ["a long method", `${"X".repeat(5_000)} / HTTP/1.1\r\n`, "http"],
  ["what may become a longer method", "X".repeat(8_191), undefined],
  ["a method longer than is waited for", "X".repeat(8_192), "http"],
  ["HTTP/0.9", "GET /\r\n", "http"],
  ["an unknown method", "FETCH / HTTP/1.1\r\n", "http"],
  ["a lower-case method", "get / HTTP/1.1\r\n", "http"],
  ["an unknown version", "FETCH / HTTP/7\r\n", "http"],
  ["a lower-case version", "FETCH / http/1.1\r\n", "http"],
  ["a target with bytes beyond ASCII", "FETCH /\xc4\x81 HTTP/1.1\r\n", "http"],
  ["RTSP, which node:http reads as well", "DESCRIBE rtsp://a/b RTSP/1.0\r\n", "http"],
  ["SIP", "INVITE sip:a@b SIP/2.0\r\n", "tcp"],
  ["HTTP/2", PREFACE, "http2"],
  ["HTTP/2 and its first frame", `${PREFACE}\0\0\0\x04\0\0\0\0\0`, "http2"],
  ["the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nS", undefined],
  ["what only begins like HTTP/2", "PRI * HTTP/2.0\r\nX: y\r\n", "http"],
  ["HTTP/2 behind a blank line", `\r\n${PREFACE}`, "http"],
  ["HTTP/2 with bare line ends", PREFACE.replaceAll("\r", ""), "http"],
  ["HTTP/2 in lower case", PREFACE.toLowerCase(), "http"],
  ["HTTP/2 with another last word", PREFACE.replace("SM", "SN"), "http"],
  ["HTTP/2 with a wide gap", PREFACE.replace(" *", "  *"), "http"],
  ["a greeting", "EHLO client.example\r\n", "tcp"],
  ["memcached", "get key\r\n", "tcp"],
  ["Redis", "*1\r\n$4\r\nPING\r\n", "tcp"],
  ["Redis by hand", "PING\r\n", "tcp"],
  ["JSON", '{"get": "/ HTTP/1.1"', "tcp"],
  ["PostgreSQL", "\0\0\0\x08\x04\xd2\x16\x2f", "tcp"],
  ["letters before a byte of no text", "abc\x01", "tcp"],
];
for (const [what, text, expected] of cases) {
  test(`${what} is ${expected ?? "not known yet"}`, () => {
    const bytes = Buffer.from(text, "latin1");
    assert.equal(detectHttp(bytes)?.kind, expected);
    assert.equal(detectTlsOrHttp(bytes)?.kind, expected);
  });
}

test("where HTTP is declared only TLS and the version are looked for", () => {
  for (const [what, text] of cases) {
    const bytes = Buffer.from(text, "latin1");
    const whole = text.startsWith(PREFACE) ? "http2" : "http";
    const expected = PREFACE.startsWith(text) && text !== PREFACE ? undefined : whole;
    assert.equal(detectHttpFraming(bytes)?.kind, expected, what);
    assert.equal(detectTlsOrHttpFraming(bytes)?.kind, expected, what);
  }
});

test("where HTTP/2 is declared, what is no request of HTTP/1 is HTTP/2's to refuse", () => {
  for (const [what, text, expected] of cases) {
    const bytes = Buffer.from(text, "latin1");
    const framing = expected === "tcp" ? "http2" : expected;
    assert.equal(detectHttp2Framing(bytes)?.kind, framing, what);
    assert.equal(detectTlsOrHttp2Framing(bytes)?.kind, framing, what);
  }
});

test("where bytes are declared only TLS is looked for", () => {
  assert.equal(detectTls(Buffer.from("G"))?.kind, "tcp");
  assert.equal(detectTls(Buffer.alloc(0)), undefined);
});

const tls: [what: string, detect: Detector][] = [
  ["detectTls", detectTls],
  ["detectTlsOrHttp", detectTlsOrHttp],
  ["detectTlsOrHttpFraming", detectTlsOrHttpFraming],
  ["detectTlsOrHttp2Framing", detectTlsOrHttp2Framing],
];
for (const [what, detect] of tls) {
  test(`${what} waits for the rest of what may be a ClientHello`, () => {
    assert.equal(detect(Buffer.from([22, 3, 1])), undefined);
  });
  test(`${what} takes a broken ClientHello for plain bytes`, () => {
    assert.equal(detect(Buffer.from([22, 9, 9, 9, 9, 9]))?.kind, "tcp");
  });
}

for (const [what, text, expected] of [
  ["may become a request", "GE", "http"],
  ["may become HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM", "http"],
  ["may become TLS", "\x16\x03", "tcp"],
  ["says nothing", "", "tcp"],
] as const) {
  test(`a client that stops and ${what} is served as ${expected}`, () =>
    assert.equal(stalledProtocol(Buffer.from(text, "latin1")).kind, expected));
}
