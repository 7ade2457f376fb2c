import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldLookup } from "../field-lookup.ts";
import { FIELD } from "../field-names.ts";
import { HeadEdit } from "./head-edit.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";
import { CHUNKED_LINE, CLOSE_LINE, WEBSOCKET_LINES } from "./written-lines.ts";

const unchanged = (): void => {};

/** What goes on of a request, which lies somewhere in a larger buffer. */
function forwarded(text: string, change: (edit: HeadEdit) => void = unchanged): string {
  return edited(new RequestHead(), text, change);
}

function edited(
  head: RequestHead | ResponseHead,
  text: string,
  change: (edit: HeadEdit) => void,
): string {
  const bytes = Buffer.from(`xx${text}body`, "latin1");
  assert.equal(head.scan(bytes, 2, bytes.length), text.length + 2, head.problem.words);
  const edit = new HeadEdit();
  edit.begin(head);
  change(edit);
  const target = Buffer.alloc(3 + edit.maxBytes, "!");
  const end = edit.write(target, 3);
  assert.ok(end <= target.length);
  assert.equal(target.toString("latin1", 0, 3), "!!!");
  return target.toString("latin1", 3, end);
}

const lines = (...all: readonly string[]): string => [...all, "", ""].join("\r\n");
const GET = "GET /a HTTP/1.1";

test("what nothing changes goes on as it came, but for a blank line before it", () => {
  const text = lines(
    GET,
    "hOsT:a",
    "X: \t b \t ",
    "Content-Length: 5",
    `Y: ${"long".repeat(99)}\xff`,
  );
  assert.equal(forwarded(text), text);
  assert.equal(forwarded(`\r\n${text}`), text);
  const ok = lines("HTTP/1.1 200 ", "X: 1");
  assert.equal(edited(new ResponseHead(), ok, unchanged), ok);
});

test("RFC 9110 2.5: what goes on is HTTP/1.1", () => {
  assert.equal(forwarded(lines("GET /a HTTP/1.0", "X: 1")), lines(GET, "X: 1"));
  const old = lines("HTTP/1.0 200 OK", "X: 1");
  assert.equal(edited(new ResponseHead(), old, unchanged), lines("HTTP/1.1 200 OK", "X: 1"));
});

test("RFC 9110 7.6.1: what is for one hop does not go on, wherever it stands", () => {
  const hop = [
    "Keep-Alive: 2",
    "Connection: close, X-Gone",
    "TE: trailers",
    "Upgrade: h2c",
    "Expect: 100-continue",
  ].concat([
    "Proxy-Connection: x",
    "Proxy-Authorization: x",
    "Proxy-Authenticate: x",
    "Trailer: X",
    "HTTP2-Settings: x",
  ]);
  const text = lines(
    GET,
    ...hop,
    "Host: a",
    "x-gone: 1",
    "B: 2",
    ...hop,
    "Transfer-Encoding: chunked",
    ...hop,
  );
  assert.equal(forwarded(text), lines(GET, "Host: a", "B: 2", "Transfer-Encoding: chunked"));
});

for (const name of [
  "Host",
  "Content-Length",
  "Authorization",
  "Cookie",
  "Forwarded",
  "X-Request-Id",
  "X-Forwarded-For",
  "X-Forwarded-Client-Cert",
  "X-Forwarded-Anything",
]) {
  test(`Connection cannot take ${name} away`, () => {
    const host = name === "Host" ? [] : ["Host: a"];
    const text = lines(GET, ...host, `${name}: 5`, `Connection: close,${name.toLowerCase()} ,x`);
    assert.equal(forwarded(text), lines(GET, ...host, `${name}: 5`));
  });
}

test("Connection takes away what else it names, known or not", () => {
  const text = lines(
    GET,
    "Accept-Encoding: x",
    "Host: a",
    "B: 1",
    "Connection: b, Accept-Encoding",
  );
  assert.equal(forwarded(text), lines(GET, "Host: a"));
});

test("Connection cannot take the framing away", () => {
  const text = lines(GET, "Host: a", "Transfer-Encoding: chunked", "Connection: transfer-encoding");
  assert.equal(forwarded(text), lines(GET, "Host: a", "Transfer-Encoding: chunked"));
});

test("fields are left out by name, replaced and added, behind the others", () => {
  const text = lines(
    GET,
    "X-Forwarded-Client-Cert: forged",
    "Host: a",
    "x-forwarded-CLIENT-cert: 2",
    "B: 2",
  );
  const written = forwarded(text, (edit) => {
    edit.leaveOut(FIELD["x-forwarded-client-cert"]);
    edit.leaveOut(FIELD["user-agent"]);
    edit.add("x-request-id", "1");
    edit.addLines(CLOSE_LINE);
    edit.add("empty", "");
  });
  const added = ["x-request-id: 1", "Connection: close", "empty: "];
  assert.equal(written, lines(GET, "Host: a", "B: 2", ...added));
});

test("fields are left out by a name that has no number", () => {
  const text = lines(GET, "X-Claim: forged", "Host: a", "x-CLAIM: 2", "x-claims: 3");
  const written = forwarded(text, (edit) => edit.leaveOutNamed(new FieldLookup("x-claim")));
  assert.equal(written, lines(GET, "Host: a", "x-claims: 3"));
});

test("every field may be left out", () => {
  const written = forwarded(lines(GET, "Host: a", "User-Agent: x"), (edit) => {
    edit.leaveOut(FIELD["user-agent"]);
    edit.leaveOut(FIELD["user-agent"]);
    edit.leaveOutAt(0);
  });
  assert.equal(written, lines(GET));
});

test("who writes the head in another form is told which fields stay", () => {
  forwarded(lines(GET, "TE: x", "Host: a", "X: 1", "Connection: x"), (edit) => {
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => edit.stays(index)),
      [false, true, false, false],
    );
  });
});

test("AP-109, QK-6: an absolute form goes on as a path, and its authority as Host", () => {
  const rest = ["Host: other", "X: 1"];
  for (const [target, path, host] of [
    ["http://b:8080/a?c", "/a?c", "b:8080"],
    ["http://b", "/", "b"],
    ["https://b?c", "/?c", "b"],
  ]) {
    const text = lines(`GET ${target} HTTP/1.1`, ...rest);
    assert.equal(forwarded(text), lines(`GET ${path} HTTP/1.1`, "X: 1", `Host: ${host}`));
  }
});

test("AP-106: the normalised path goes on, in absolute form, too", () => {
  const setPath = (edit: HeadEdit): void => edit.setPath("/b?%C3");
  assert.equal(forwarded(lines(GET, "Host: a"), setPath), lines("GET /b?%C3 HTTP/1.1", "Host: a"));
  const absolute = lines("GET http://b/x/../b?%C3 HTTP/1.0", "Host: a");
  assert.equal(forwarded(absolute, setPath), lines("GET /b?%C3 HTTP/1.1", "Host: b"));
});

test("RFC 9110 7.8: an upgrade goes on when it is said", () => {
  const text = lines(GET, "Host: a", "Connection: Upgrade, x", "Upgrade: WebSocket", "X: 1");
  const written = forwarded(text, (edit) => edit.addLines(WEBSOCKET_LINES));
  assert.equal(written, lines(GET, "Host: a", "Connection: upgrade", "Upgrade: websocket"));
});

test("a body that is framed anew is announced so", () => {
  const ok = lines("HTTP/1.1 200 OK", "Content-Length: 5");
  const written = edited(new ResponseHead(), ok, (edit) => {
    edit.leaveOut(FIELD["content-length"]);
    edit.addLines(CHUNKED_LINE);
  });
  assert.equal(written, lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"));
});

test("QK-16: nothing can be written that ends a line", () => {
  const edit = new HeadEdit();
  for (const value of ["a\r\nb", "a\nb", "a\rb", "a\0", "\u010a", "\u{1f600}"]) {
    assert.throws(() => edit.add("x", value), RangeError, JSON.stringify(value));
    assert.throws(() => edit.setPath(`/${value}`), RangeError, JSON.stringify(value));
  }
  for (const name of ["a b", "a:", "a\n", "\u0161"])
    assert.throws(() => edit.add(name, ""), RangeError);
  for (const path of ["", "/a b", "/a#b"]) assert.throws(() => edit.setPath(path), RangeError);
});

test("what was said of one head is not said of the next", () => {
  const head = new RequestHead();
  const edit = new HeadEdit();
  const first = Buffer.from(lines("GET http://b/ HTTP/1.1", "Host: a", "TE: x", "User-Agent: x"));
  head.scan(first, 0, first.length);
  edit.begin(head);
  edit.leaveOut(FIELD["user-agent"]);
  edit.add("x", "v".repeat(20_000));
  edit.setPath("/x");
  edit.write(Buffer.alloc(edit.maxBytes), 0);
  const second = Buffer.from(lines(GET, "Host: a", "B: 1", "C: 2", "TE: x"));
  head.scan(second, 0, second.length);
  edit.begin(head);
  const target = Buffer.alloc(edit.maxBytes);
  const written = target.toString("latin1", 0, edit.write(target, 0));
  assert.equal(written, lines(GET, "Host: a", "B: 1", "C: 2"));
});
