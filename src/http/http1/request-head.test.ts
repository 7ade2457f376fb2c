import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD } from "../field-names.ts";
import { METHOD } from "../methods.ts";
import { OPTION, UPGRADE } from "./connection-options.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { FRAMING } from "./framing.ts";
import { MAX_HEAD_BYTES } from "./message-head.ts";
import { PROBLEM } from "./problem.ts";
import { EXPECTATION, MAX_TARGET_BYTES, RequestHead } from "./request-head.ts";

function read(text: string): RequestHead {
  const head = new RequestHead();
  const bytes = Buffer.from(text, "latin1");
  assert.equal(head.scan(bytes, 0, bytes.length), bytes.length, head.problem.words);
  return head;
}

/** A request with these lines besides its Host. */
function withLines(...lines: readonly string[]): RequestHead {
  return read(["GET / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n"));
}

const targets: [method: string, target: string, host: string, authority: string, path: string][] = [
  ["GET", "/a?b", "api:8080", "api:8080", "/a?b"],
  ["OPTIONS", "*", "api", "api", "*"],
  ["GET", "//evil/x", "api", "api", "//evil/x"],
  ["GET", "/", "", "", "/"],
  ["GET", '/a\\b|{}^`"<>', "api", "api", '/a\\b|{}^`"<>'],
  ["GET", "http://api:8080/a", "other", "api:8080", "/a"],
  ["GET", "HTTP://api", "api", "api", "/"],
  ["GET", "https://api?q", "api", "api", "/?q"],
  ["GET", "http://[::1]:80/a", "api", "[::1]:80", "/a"],
  ["CONNECT", "api:1", "other:65535", "api:1", ""],
  ["CONNECT", "api:443", "other", "api:443", ""],
  ["CONNECT", "[::1]:443", "other", "[::1]:443", ""],
];
for (const [method, target, host, authority, path] of targets) {
  test(`AP-109, QK-6: ${method} ${target} with Host ${host} goes to ${authority}, ${path}`, () => {
    const head = read(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal(head.methodText(), method);
    assert.equal(head.authorityText(), authority);
    assert.equal(head.pathText(), path);
  });
}

test("QK-12: HTTP/1.0 may have no Host", () => {
  const head = read("GET / HTTP/1.0\r\n\r\n");
  assert.equal(head.hasAuthority, false);
  assert.equal(head.authorityText(), "");
});

test("QK-11: a method that is not known is carried by name", () => {
  const head = read("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal(head.method, METHOD.other);
  assert.equal(head.methodText(), "M-SEARCH");
});

test("fields are ranges without the space around them, with ids whatever their letter case", () => {
  const head = withLines("hOST-x: 1", "X-Request-ID:\t a b \t", "Accept:", "accept: 2");
  const texts = Array.from({ length: 2 * head.count }, (_, index) =>
    head.bytes.toString("latin1", head.ranges[2 * index], head.ranges[2 * index + 1]),
  );
  assert.deepEqual(texts, [
    "Host",
    "a",
    "hOST-x",
    "1",
    "X-Request-ID",
    "a b",
    "Accept",
    "",
    "accept",
    "2",
  ]);
  assert.deepEqual(
    [...head.ids.subarray(0, head.count)],
    [FIELD.host, FIELD.other, FIELD["x-request-id"], FIELD.accept, FIELD.accept],
  );
  assert.equal(head.seen, (1 << FIELD.host) | (1 << FIELD["x-request-id"]));
});

const kept: [version: string, lines: string[], keepsAlive: boolean][] = [
  ["1.1", [], true],
  ["1.1", ["Connection: keep-alive"], true],
  ["1.1", ["Connection: close"], false],
  ["1.1", ["Connection: keep-alive, Close"], false],
  ["1.1", ["Connection: close, x"], false],
  ["1.1", ["Connection: close", "Connection: x"], false],
  ["1.1", ["Connection: clos", "Connection: e"], true],
  ["1.1", ["Connection: keep-alive", "Connection: ,x, close ,"], false],
  ["1.1", ["Connection: closed", "Proxy-Connection: close"], true],
  ["1.0", [], false],
  ["1.0", ["Connection: Keep-Alive"], true],
  ["1.0", ["Connection: keep-alive, close"], false],
  ["1.0", ["Proxy-Connection: keep-alive"], false],
];
for (const [version, lines, keepsAlive] of kept) {
  test(`RFC 9112 9.3: HTTP/${version} with ${lines.join("; ")} ${keepsAlive ? "stays" : "ends"}`, () => {
    const text = [`GET / HTTP/${version}`, "Host: a", ...lines, "", ""].join("\r\n");
    assert.equal(read(text).keepsAlive, keepsAlive);
  });
}

const upgrades: [lines: string[], upgrade: keyof typeof UPGRADE][] = [
  [["Connection: Upgrade", "Upgrade: WebSocket"], "websocket"],
  [["Connection: keep-alive, upgrade", "Upgrade: websocket"], "websocket"],
  [["Connection: upgrade, keep-alive", "Upgrade: websocket"], "websocket"],
  [["Upgrade: websocket"], "none"],
  [["Connection: upgrade"], "none"],
  [["Connection: upgrade", "Upgrade: websocket, h2c"], "other"],
  [["Connection: upgrade", "Upgrade: h2c"], "other"],
  [["Connection: upgrade", "Upgrade: websocket", "Upgrade: websocket"], "other"],
  [["Connection: upgrade", "Upgrade:"], "other"],
];
for (const [lines, upgrade] of upgrades) {
  test(`RFC 9110 7.8, QK-14: ${lines.join("; ")} asks for ${upgrade}`, () => {
    assert.equal(withLines(...lines).upgrade, UPGRADE[upgrade]);
  });
}

test("RFC 9110 7.8: in HTTP/1.0 nothing is upgraded", () => {
  const head = read("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  assert.equal(head.upgrade, UPGRADE.none);
});

const expectations: [lines: string[], expectation: keyof typeof EXPECTATION][] = [
  [[], "none"],
  [["Expect: 100-Continue"], "continue"],
  [["Expect: 100-continue", "Expect: 100-continue"], "continue"],
  [["Expect: 100-continue", "Expect: x"], "other"],
  [["Expect: x", "Expect: 100-continue"], "other"],
  [["Expect: 100-continue, x"], "other"],
  [["Expect:"], "other"],
];
for (const [lines, expectation] of expectations) {
  test(`RFC 9110 10.1.1: ${lines.join("; ")} expects ${expectation}`, () => {
    assert.equal(withLines(...lines).expectation, EXPECTATION[expectation]);
  });
}

test("RFC 9110 10.1.1: what is expected may be said first", () => {
  const head = read("PUT / HTTP/1.1\r\nExpect: x\r\nHost: a\r\n\r\n");
  assert.equal(head.expectation, EXPECTATION.other);
});

test("RFC 9110 10.1.1: HTTP/1.0 expects nothing", () => {
  const head = read("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  assert.equal(head.expectation, EXPECTATION.none);
});

const framings: [lines: string[], framing: keyof typeof FRAMING, length: number][] = [
  [[], "none", -1],
  [["Content-Length: 0"], "none", 0],
  [["Content-Length:  9007199254740991 "], "length", 9007199254740991],
  [["Transfer-Encoding:Chunked  "], "chunked", -1],
];
for (const [lines, framing, length] of framings) {
  test(`RFC 9112 6.3: a request with ${lines.join()} has a body by ${framing}`, () => {
    const head = withLines(...lines);
    assert.equal(head.framing, FRAMING[framing]);
    assert.equal(head.contentLength, length);
  });
}

test("what one head said is forgotten by the next", () => {
  const head = new RequestHead();
  const full =
    "CONNECT a:1 HTTP/1.0\r\nHost: a\r\nExpect: x\r\nConnection: close, upgrade, x\r\nUpgrade: h2c\r\n\r\n";
  const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const plain = "GET / HTTP/1.0\r\n\r\n";
  const facts = (it: RequestHead): unknown[] => [
    ...[it.method, it.form, it.count, it.seen, it.options, it.upgrade, it.expectation],
    ...[it.contentLength, it.isChunked, it.hasAuthority, it.minorVersion, it.authorityText()],
  ];
  for (const text of [full, chunked, `${plain.slice(0, -2)}Host: \0`, plain]) {
    const bytes = Buffer.from(text);
    head.scan(bytes, 0, bytes.length);
  }
  assert.deepEqual(facts(head), facts(read(plain)));
});

test("a head in single bytes, each time at another place, costs no second look but at names", () => {
  const text = `\r\nPOST /${"p".repeat(5_000)} HTTP/1.1\r\nHost: a\r\nX: ${"v".repeat(20_000)}\r\n\r\n`;
  const head = new RequestHead();
  const room = Buffer.alloc(2 * text.length + 64);
  for (let length = 1; length <= text.length; length++) {
    const from = (length * 31) % 61;
    room.write(text, from, "latin1");
    const end = head.scan(room, from, from + length);
    assert.equal(end, length < text.length ? INCOMPLETE : from + length);
  }
  assert.equal(head.pathText().length, 5_001);
  assert.equal(head.authorityText(), "a");
  assert.equal(head.bytes.toString("latin1", head.start, head.start + 6), "POST /");
  assert.equal((head.ranges[7] ?? 0) - (head.ranges[6] ?? 0), 20_000);
});

test("an incomplete head can be forgotten", () => {
  const head = new RequestHead();
  const first = Buffer.from("GET /one HTTP/1.1\r\nHost: a\r\nX: 1\r\nY");
  assert.equal(head.scan(first, 0, first.length), INCOMPLETE);
  head.abandon();
  const second = Buffer.from("GET /two HTTP/1.1\r\nHost: b\r\n\r\n");
  assert.equal(head.scan(second, 0, second.length), second.length);
  assert.equal(head.count, 1);
  assert.equal(head.pathText(), "/two");
});

for (const [size, result] of [
  [MAX_HEAD_BYTES, MAX_HEAD_BYTES],
  [MAX_HEAD_BYTES + 1, REFUSED],
] as const) {
  test(`QK-15: a head of ${size} bytes gives ${result}`, () => {
    const start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    const bytes = Buffer.from(`${start}${"v".repeat(size - start.length - 4)}\r\n\r\nmore`);
    const head = new RequestHead();
    assert.equal(head.scan(bytes, 0, bytes.length), result);
    if (result === REFUSED) assert.equal(head.problem, PROBLEM.headTooLarge);
  });
}

test("RFC 9110 7.6.1: 1 KiB of connection options is taken", () => {
  const head = withLines(`Connection: ${"x".repeat(1_000)}`, `Connection: ${"y".repeat(24)}`);
  assert.equal(head.options, OPTION.nominates);
});

test("the longest target, the longest name and the most fields are taken", () => {
  const target = `/${"a".repeat(MAX_TARGET_BYTES - 1)}`;
  const fields = `${"n".repeat(256)}: 1\r\n${"a: b\r\n".repeat(98)}`;
  const head = read(`${"M".repeat(32)} ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  assert.equal(head.count, 100);
});
