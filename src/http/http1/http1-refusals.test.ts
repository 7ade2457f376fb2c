/** What is not taken for a message, each with the rule it breaks. RFC sections are those of RFC 9112, if no other is named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequests, readResponses } from "../../../test/kit/read-http1.ts";
import { MAX_FIELDS } from "./field-section.ts";
import { MAX_HEAD_BYTES } from "./message-head.ts";
import { PROBLEM } from "./problem.ts";
import { ANSWERS } from "./response-head.ts";

type Problem = keyof typeof PROBLEM;
type Row = readonly [rule: string, text: string, problem: Problem];

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

const lines: readonly Row[] = [
  ["2.2, QK-16", "GET / HTTP/1.1\nHost: a\r\n\r\n", "bareLineFeed"],
  ["2.2, QK-16", `GET / HTTP/1.1\r\nHost: a\n\r\n`, "bareLineFeed"],
  ["2.2, QK-16", `${GET}X: 1\n\r\n`, "bareLineFeed"],
  ["2.2, QK-16", `${GET}\n`, "bareLineFeed"],
  ["2.2, QK-16", `${GET}X: 1\r\n\n`, "bareLineFeed"],
  ["2.2, QK-16", `\n${GET}\r\n`, "bareLineFeed"],
  ["2.2, QK-16", `${GET}X\n: 1\r\n\r\n`, "bareLineFeed"],
  ["2.2, QK-16", "GET\n/ HTTP/1.1\r\n", "bareLineFeed"],
  ["2.2, QK-16", "GET /\n", "bareLineFeed"],
  ["2.2, QK-16", `${GET}X: 1\rY: 2\r\n\r\n`, "bareCarriageReturn"],
  ["2.2, QK-16", `${GET}X: 1\r\rY: 2\r\n\r\n`, "bareCarriageReturn"],
  ["2.2, QK-16", `${GET}\rX: 1\r\n\r\n`, "bareCarriageReturn"],
  ["2.2, QK-16", "GET / HTTP/1.1\rHost: a\r\n\r\n", "bareCarriageReturn"],
  ["2.2", `\r\n\r\n${GET}\r\n`, "blankLines"],
  ["2.2", `\rGET / HTTP/1.1\r\nHost: a\r\n\r\n`, "blankLines"],
  ["5.2, QK-16", `${GET}X: 1\r\n more\r\n\r\n`, "foldedLine"],
  ["5.2, QK-16", `${GET}X: 1\r\n\tmore\r\n\r\n`, "foldedLine"],
  ["2.2", `GET / HTTP/1.1\r\n Host: a\r\n\r\n`, "foldedLine"],
  ["5.1, QK-16", `${GET}X : 1\r\n\r\n`, "spaceBeforeColon"],
  ["5.1, QK-16", `${POST}Transfer-Encoding : chunked\r\n\r\n`, "spaceBeforeColon"],
  ["5.1, QK-16", `${POST}Content-Length\t: 5\r\n\r\n`, "spaceBeforeColon"],
  ["5", `${GET}: 1\r\n\r\n`, "emptyName"],
  ["5", `${GET}X\r\n\r\n`, "noColon"],
  ["5", `${GET}X(y): 1\r\n\r\n`, "invalidName"],
  ["5", `${GET}X\0: 1\r\n\r\n`, "invalidName"],
  ["5", `${GET}X\xe9: 1\r\n\r\n`, "invalidName"],
  ["5", `${POST}Content-Length\x0b: 5\r\n\r\n`, "invalidName"],
  ["RFC 9110 5.5", `${GET}X: a\0b\r\n\r\n`, "invalidValue"],
  ["RFC 9110 5.5", `${GET}X: a\x1bb\r\n\r\n`, "invalidValue"],
  ["RFC 9110 5.5", `${GET}X: a\x7fb\r\n\r\n`, "invalidValue"],
  ["RFC 9110 5.5", `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n`, "invalidValue"],
  ["QK-15", `${GET}${"a: b\r\n".repeat(MAX_FIELDS)}\r\n`, "tooManyFields"],
  ["QK-15", `${GET}${"n".repeat(257)}: b\r\n\r\n`, "longName"],
  ["QK-15", `${GET}X: ${"v".repeat(MAX_HEAD_BYTES)}`, "headTooLarge"],
];

const startLines: readonly Row[] = [
  ["3", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "invalidMethod"],
  ["3.1, QK-11", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "invalidMethod"],
  ["3.1, QK-11", "Get / HTTP/1.1\r\nHost: a\r\n\r\n", "invalidMethod"],
  ["3.1", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "invalidMethod"],
  ["3.1", `${"G".repeat(33)} / HTTP/1.1\r\nHost: a\r\n\r\n`, "invalidMethod"],
  ["3", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "invalidMethod"],
  ["3", "\x16\x03\x01", "invalidMethod"],
  ["3", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "invalidTarget"],
  ["3.2", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "invalidTarget"],
  ["3.2", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", "invalidTarget"],
  ["3.2", "GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "invalidTarget"],
  ["3.2, QK-10", "GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n", "invalidTarget"],
  ["AP-107, QK-2", "GET /admin#x HTTP/1.1\r\nHost: a\r\n\r\n", "fragment"],
  ["AP-107, QK-2", "GET http://a/#x HTTP/1.1\r\nHost: a\r\n\r\n", "fragment"],
  ["3", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["3", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["3", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "invalidVersion"],
  ["2.3, QK-12", "GET /\r\n", "noVersion"],
  ["2.3, QK-12", "GET / \r\nHost: a\r\n\r\n", "noVersion"],
  ["2.3", "GET / http/1.1\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["2.3", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["2.3", "GET / HTTP/11\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["2.3", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["2.3", "DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n", "invalidVersion"],
  ["2.3", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "unknownVersion"],
  ["2.3", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "unknownVersion"],
  ["2.3", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "unknownVersion"],
  ["RFC 9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unknownVersion"],
  ["3", `GET /${"a".repeat(16_384)} HTTP/1.1\r\nHost: a\r\n\r\n`, "requestLineTooLong"],
  ["3.2.4, AP-109", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.3", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.2", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.2", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["RFC 9110 4.2.4", "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["RFC 9110 4.2.4", "GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.3", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.3", "CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.3", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
  ["3.2.3", "CONNECT http://a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "targetForm"],
];

const hosts: readonly Row[] = [
  ["3.2, QK-12", "GET / HTTP/1.1\r\n\r\n", "noHost"],
  ["3.2, QK-6", "GET http://a/ HTTP/1.1\r\n\r\n", "noHost"],
  ["3.2, QK-6", `${GET}Host: b\r\n\r\n`, "severalHosts"],
  ["3.2, QK-6", `${GET}HOST: a\r\n\r\n`, "severalHosts"],
  ["3.2, QK-6", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "severalHosts"],
  ["3.2, QK-6", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "severalHosts"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2, QK-5", "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", "invalidHost"],
  ["RFC 9110 7.2", "GET http://a/ HTTP/1.1\r\nHost: a/b\r\n\r\n", "invalidHost"],
];

const lengths: readonly Row[] = [
  [
    "6.1, QK-16",
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    "lengthAndCoding",
  ],
  [
    "6.1, QK-16",
    `${POST}Transfer-Encoding: chunked\r\ncontent-length: 0\r\n\r\n`,
    "lengthAndCoding",
  ],
  ["6.3, QK-16", `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, "severalLengths"],
  ["6.3, QK-16", `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, "severalLengths"],
  ...[
    "5, 5",
    "5,5",
    "+5",
    "-5",
    "0x5",
    "5.0",
    "5 5",
    "",
    "5e0",
    "05",
    "00",
    "5;",
    "9007199254740992",
    "18446744073709551621",
    "10000000000000000",
  ].map(
    (value): Row => [
      "RFC 9110 8.6, QK-16",
      `${POST}Content-Length: ${value}\r\n\r\n`,
      "invalidLength",
    ],
  ),
  ...[
    "gzip, chunked",
    "chunked, gzip",
    "chunked, chunked",
    "identity",
    "xchunked",
    "chunked;q=1",
    '"chunked"',
    "",
    "chunked,",
    "chunk ed",
  ].map(
    (value): Row => ["6.1, QK-16", `${POST}Transfer-Encoding: ${value}\r\n\r\n`, "unknownCoding"],
  ),
  [
    "6.1, QK-16",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    "severalCodings",
  ],
  [
    "6.1, QK-16",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`,
    "severalCodings",
  ],
  ["6.1, QK-16", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "codingInOldVersion"],
  ["6.1, QK-16", "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", "codingInOldVersion"],
  [
    "RFC 9110 9.3.6",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    "unexpectedBody",
  ],
  [
    "RFC 9110 9.3.6",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "unexpectedBody",
  ],
  ["RFC 9110 9.3.8", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "unexpectedBody"],
  [
    "RFC 9110 7.6.1",
    `${GET}${`Connection: ${"a".repeat(600)}\r\n`.repeat(2)}\r\n`,
    "longConnection",
  ],
  ["RFC 9110 7.6.1", `${GET}Connection: ${"a,".repeat(600)}\r\n\r\n`, "longConnection"],
  ["QK-16", `${POST}Content-Length:\t5\r\n\r\n`, "tabInFraming"],
  ["QK-16", `${POST}Content-Length: 5 \t\r\n\r\n`, "tabInFraming"],
  ["QK-16", `${POST}Transfer-Encoding: \tchunked\r\n\r\n`, "tabInFraming"],
  ["QK-16", `${POST}Transfer-Encoding: chunked\t \r\n\r\n`, "tabInFraming"],
];

const chunks: readonly Row[] = [
  ...["x", "-1", "+1", " 1", "0x1", ";a", "\r"].map(
    (size): Row => ["7.1", `${CHUNKED}${size}\r\n`, "invalidChunkSize"],
  ),
  ...["1 ", "1\t", "1 ;a", "1,", "1\0", "1g"].map(
    (size): Row => ["7.1", `${CHUNKED}${size}\r\n`, "invalidChunkSize"],
  ),
  ["7.1", `${CHUNKED}00000000000000001\r\n`, "chunkTooLarge"],
  ["7.1", `${CHUNKED}20000000000000\r\n`, "chunkTooLarge"],
  ["7.1", `${CHUNKED}fffffffffffffffff\r\n`, "chunkTooLarge"],
  ["7.1, QK-16", `${CHUNKED}1\na\r\n0\r\n\r\n`, "bareLineFeed"],
  ["7.1, QK-16", `${CHUNKED}1;a\nb\r\n`, "bareLineFeed"],
  ["7.1, QK-16", `${CHUNKED}1;a="\n"\r\n`, "bareLineFeed"],
  ["7.1, QK-16", `${CHUNKED}1\rx`, "bareCarriageReturn"],
  ["7.1, QK-16", `${CHUNKED}1\r\na\n0\r\n\r\n`, "lineEnd"],
  ["7.1, QK-16", `${CHUNKED}1\r\na0\r\n\r\n`, "lineEnd"],
  ["7.1, QK-16", `${CHUNKED}1\r\nab\r\n`, "lineEnd"],
  ["7.1, QK-16", `${CHUNKED}1\r\na\rx`, "lineEnd"],
  ["7.1, QK-16", `${CHUNKED}0\r\n\rX`, "lineEnd"],
  ...["1;", "1;a=", "1;a b", "1; a", '1;a="b', '1;a="b"c', "1;a=(", "1;a\0"].map(
    (size): Row => ["7.1.1", `${CHUNKED}${size}\r\n`, "invalidExtension"],
  ),
  ["7.1.1", `${CHUNKED}${`1;${"a".repeat(1_000)}\r\nx\r\n`.repeat(17)}`, "longExtensions"],
  ["7.1.2, QK-16", `${CHUNKED}0\r\nX: 1\n\r\n`, "bareLineFeed"],
  ["7.1.2", `${CHUNKED}0\r\nX : 1\r\n\r\n`, "spaceBeforeColon"],
  ["7.1.2", `${CHUNKED}0\r\n: 1\r\n\r\n`, "emptyName"],
  ["7.1.2", `${CHUNKED}0\r\n x: 1\r\n\r\n`, "foldedLine"],
  ["7.1.2", `${CHUNKED}0\r\n${"a: b\r\n".repeat(MAX_FIELDS + 1)}\r\n`, "tooManyFields"],
  ["7.1.2", `${CHUNKED}0\r\nX: ${"v".repeat(8_192)}`, "trailersTooLarge"],
  ...[
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Host: b",
    "Authorization: b",
    "X-Forwarded-Client-Cert: x",
    "x-forwarded-anything: x",
    "Connection: close",
    "Cookie: a",
  ].map((line): Row => ["RFC 9110 6.5.1", `${CHUNKED}0\r\n${line}\r\n\r\n`, "forbiddenTrailer"]),
  ["9.3.2", `${GET}Content-Length: 0\r\n\r\nhidden`, "invalidMethod"],
];

for (const [rule, text, problem] of [lines, startLines, hosts, lengths, chunks].flat()) {
  test(`${rule}: ${problem} in ${shown(text)}`, () => {
    assert.equal(readRequests(Buffer.from(text, "latin1")).outcome, PROBLEM[problem].code);
  });
}

const OK = "HTTP/1.1 200 OK\r\n";
const responses: readonly (readonly [...Row, answers?: keyof typeof ANSWERS])[] = [
  ["4", "HTTP/1.1 99 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "HTTP/1.1 600 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "HTTP/1.1 2000 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "HTTP/1.1  200 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "HTTP/1.1\t200 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "HTTP/1.2 200 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "http/1.1 200 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "\r\nHTTP/1.1 200 OK\r\n\r\n", "invalidStatusLine"],
  ["4", "HTTP/1.1 200 O\0K\r\n\r\n", "invalidValue"],
  ["4, QK-16", "HTTP/1.1 200 OK\n\r\n", "bareLineFeed"],
  ["4, QK-16", "HTTP/1.1 200 OK\rX: 1\r\n\r\n", "bareCarriageReturn"],
  ["5.2", `${OK}X: 1\r\n 2\r\n\r\n`, "foldedLine"],
  ["6.1", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, "unknownCoding"],
  ["6.1", `${OK}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`, "lengthAndCoding"],
  ["6.1", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "codingInOldVersion"],
  ["6.3", `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`, "severalLengths"],
  ["6.3", "HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\n", "unexpectedBody"],
  ["6.1", "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", "unexpectedBody"],
  ["6.1", "HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n", "unexpectedBody"],
  ["RFC 9110 9.3.6", `${OK}Transfer-Encoding: chunked\r\n\r\n`, "unexpectedBody", "connect"],
  [
    "RFC 9110 15.2.2",
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "unexpectedSwitch",
  ],
  ["RFC 9110 15.2.2", "HTTP/1.1 101 S\r\n\r\n", "unexpectedSwitch", "upgrade"],
];

for (const [rule, text, problem, answers = "plain"] of responses) {
  test(`${rule}: ${problem} in a response to a ${answers} request, ${shown(text)}`, () => {
    const { outcome } = readResponses(Buffer.from(text, "latin1"), ANSWERS[answers]);
    assert.equal(outcome, PROBLEM[problem].code);
  });
}

test("codes are told apart, and every problem has a test here", () => {
  const codes = Object.values(PROBLEM).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  const tested = new Set(
    [lines, startLines, hosts, lengths, chunks, responses].flat().map((row) => row[2]),
  );
  const untested = Object.keys(PROBLEM).filter((name) => !tested.has(name as Problem));
  assert.deepEqual(untested, ["none", "cutShort"]);
});

function shown(text: string): string {
  return JSON.stringify(text.length > 90 ? `${text.slice(0, 90)}…` : text);
}
