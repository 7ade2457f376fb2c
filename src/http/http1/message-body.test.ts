import assert from "node:assert/strict";
import { test } from "node:test";
import { readRequests, readResponses } from "../../../test/kit/read-http1.ts";
import { REFUSED } from "./field-section.ts";
import { FRAMING } from "./framing.ts";
import { MessageBody } from "./message-body.ts";
import { PROBLEM } from "./problem.ts";
import { ANSWERS, ResponseHead } from "./response-head.ts";

const POST = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const NEXT = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

const chunked: [what: string, coded: string, body: string, trailers: string[]][] = [
  ["no chunk", "0\r\n\r\n", "", []],
  ["several", "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", "hello world", []],
  [
    "hex digits of either case and leading zeros",
    "00a\r\n0123456789\r\n0A\r\n0123456789\r\n000\r\n\r\n",
    "01234567890123456789",
    [],
  ],
  ["what looks like an end", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n", []],
  ["extensions", '1;a\r\nx\r\n1;a=b;c="d \\" \t;\\\\";e\r\ny\r\n0;z\r\n\r\n', "xy", []],
  ["trailers", "0\r\nX-Sum:  1 \r\ngrpc-status:0\r\n\r\n", "", ["X-Sum", "1", "grpc-status", "0"]],
];
for (const [what, coded, body, trailers] of chunked) {
  test(`RFC 9112 7.1: ${what}, and the next request behind it`, () => {
    const { messages, outcome } = readRequests(Buffer.from(POST + coded + NEXT));
    assert.equal(outcome, "idle");
    assert.equal(messages[0]?.body, body);
    assert.deepEqual(messages[0]?.trailers, trailers);
    assert.equal(messages[0]?.end, POST.length + coded.length);
    assert.equal(messages[1]?.line, "GET /next 1.1");
  });
}

test("RFC 9112 6.3: a length says where the next request begins", () => {
  const text = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n0\r\n\r\nxy${NEXT}`;
  const { messages } = readRequests(Buffer.from(text));
  assert.deepEqual(
    messages.map(({ body }) => body),
    ["0\r\n\r\nxy", ""],
  );
});

const OK = "HTTP/1.1 200 OK\r\n";
const responses: [
  text: string,
  answers: keyof typeof ANSWERS,
  bodies: string[],
  outcome: string,
][] = [
  [`${OK}Content-Length: 2\r\n\r\nabHTTP/1.1 204 \r\n\r\n`, "plain", ["ab", ""], "idle"],
  [`${OK}Content-Length: 2\r\n\r\n${OK}Content-Length: 0\r\n\r\n`, "head", ["", ""], "idle"],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n`, "head", [""], "idle"],
  ["HTTP/1.1 304 \r\nContent-Length: 2\r\n\r\n", "plain", [""], "idle"],
  ["HTTP/1.1 204\r\nContent-Length: 0\r\n\r\n", "plain", [""], "idle"],
  [
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\nHTTP/1.1 204 \r\n\r\n",
    "plain",
    ["", "", ""],
    "idle",
  ],
  [`${OK}\r\nuntil the end`, "plain", ["until the end"], "idle"],
  ["HTTP/1.0 200 OK\r\n\r\nuntil the end", "plain", ["until the end"], "last"],
  [`${OK}\r\nbytes`, "connect", [""], "switched"],
  [`${OK}Content-Length: 0\r\n\r\nbytes`, "connect", [""], "switched"],
  ["HTTP/1.1 300 No\r\nContent-Length: 2\r\n\r\nno", "connect", ["no"], "idle"],
  ["HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", "connect", ["no"], "idle"],
  [
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nframes",
    "upgrade",
    [""],
    "switched",
  ],
  [`${OK}Content-Length: 2\r\n\r\nno`, "upgrade", ["no"], "idle"],
];
for (const [text, answers, bodies, outcome] of responses) {
  test(`RFC 9112 6.3: to a ${answers} request, ${JSON.stringify(text)}`, () => {
    const reading = readResponses(Buffer.from(text), ANSWERS[answers]);
    assert.deepEqual(
      reading.messages.map(({ body }) => body),
      bodies,
    );
    assert.equal(reading.outcome, outcome);
  });
}

for (const [status, isInterim] of [
  [100, true],
  [199, true],
  [101, false],
  [200, false],
] as const) {
  test(`RFC 9110 15.2: ${status} is ${isInterim ? "not " : ""}the answer`, () => {
    const head = new ResponseHead();
    const bytes = Buffer.from(`HTTP/1.1 ${status} X\r\n\r\n`);
    assert.equal(head.scan(bytes, 0, bytes.length), bytes.length);
    assert.equal(head.isInterim, isInterim);
  });
}

test("it tells how many bytes belong to the message, wherever it is cut", () => {
  const coded = Buffer.from('5;a="b"\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\nnext');
  const length = coded.length - 4;
  for (let cut = 0; cut <= length; cut++) {
    const body = new MessageBody();
    body.begin(FRAMING.chunked, -1);
    assert.equal(readOn(body, coded, { from: 0, to: cut }), cut);
    assert.equal(body.isOver, cut === length);
    assert.equal(readOn(body, coded, { from: cut, to: coded.length }), length);
    assert.ok(body.isOver);
    assert.equal(body.payloadBytes, 5);
    assert.equal(body.trailers?.count, 1);
  }
});

test("trailers of one message are not those of the next", () => {
  const body = new MessageBody();
  for (const [coded, count] of [
    ["0\r\nX: 1\r\n\r\n", 1],
    ["0\r\n\r\n", undefined],
    ["0\r\nX: 1\r\nY: 2\r\n\r\n", 2],
  ] as const) {
    body.begin(FRAMING.chunked, -1);
    assert.equal(readOn(body, Buffer.from(coded), { from: 0, to: coded.length }), coded.length);
    assert.equal(body.trailers?.count, count);
  }
});

const ends: [framing: keyof typeof FRAMING, received: string, isWhole: boolean][] = [
  ["none", "", true],
  ["untilClose", "", true],
  ["untilClose", "ab", true],
  ["length", "", false],
  ["length", "a", false],
  ["length", "ab", true],
  ["chunked", "", false],
  ["chunked", "1\r\na\r\n", false],
  ["chunked", "0\r\n", false],
  ["chunked", "0\r\nX: 1\r\n", false],
  ["chunked", "0\r\n\r\n", true],
];
for (const [framing, received, isWhole] of ends) {
  test(`RFC 9112 8: ${framing}, ${JSON.stringify(received)} and an end: ${isWhole}`, () => {
    const body = new MessageBody();
    body.begin(FRAMING[framing], framing === "length" ? 2 : -1);
    readOn(body, Buffer.from(received), { from: 0, to: received.length });
    assert.equal(body.end(), isWhole);
    if (!isWhole) assert.equal(body.problem, PROBLEM.cutShort);
  });
}

test("extensions are counted over all chunks of a message, and anew for the next", () => {
  const chunk = Buffer.from(`1;${"a".repeat(8_000)}\r\nx\r\n`);
  const body = new MessageBody();
  for (let message = 0; message < 2; message++) {
    body.begin(FRAMING.chunked, -1);
    assert.equal(readOn(body, chunk, { from: 0, to: chunk.length }), chunk.length);
    assert.equal(readOn(body, chunk, { from: 0, to: chunk.length }), chunk.length);
    assert.equal(readOn(body, chunk, { from: 0, to: chunk.length }), REFUSED);
    assert.equal(body.problem, PROBLEM.longExtensions);
  }
});

test("trailers of 8 KiB are taken", () => {
  const coded = `0\r\nX: ${"v".repeat(8_192 - 7)}\r\n\r\n`;
  const body = new MessageBody();
  body.begin(FRAMING.chunked, -1);
  assert.equal(readOn(body, Buffer.from(coded), { from: 0, to: coded.length }), coded.length);
});

interface Span {
  readonly from: number;
  readonly to: number;
}

/** @returns the offset behind the last byte that belongs to the message, `to` if all do; or `REFUSED` */
function readOn(body: MessageBody, bytes: Buffer, { from, to }: Span): number {
  let at = from;
  while (at >= 0 && at < to && !body.isOver) at = body.step(bytes, at, to);
  return at;
}
