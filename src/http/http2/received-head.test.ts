import assert from "node:assert/strict";
import { test } from "node:test";
import { block, type Field, GET, OK, sayHead } from "../../../test/kit/http2-frames.ts";
import { FIELD } from "../field-names.ts";
import { fieldValue, findField } from "../field-ranges.ts";
import { HpackDecoder } from "./hpack/hpack-decoder.ts";
import { MAX_FIELD_LIST, MAX_FIELDS } from "./limits.ts";
import { type HeadKind, ReceivedHead } from "./received-head.ts";

function read(kind: HeadKind, fields: readonly Field[]): ReceivedHead {
  const head = new ReceivedHead();
  const bytes = block(...fields);
  head.begin(kind);
  head.arena.load(bytes, 0, bytes.length);
  assert.equal(new HpackDecoder().decode(head), "");
  head.finish();
  return head;
}

const without = (name: string): Field[] => GET.filter(([own]) => own !== name);
const withField = (name: string, value: string): Field[] => [...GET, [name, value]];
const replaced = (name: string, value: string): Field[] =>
  GET.map((field): Field => (field[0] === name ? [name, value] : field));

const malformed: [section: string, what: string, kind: HeadKind, fields: readonly Field[]][] = [
  ["8.2.1", "an upper-case name", "request", withField("X-Id", "1")],
  ["8.2.1", "an upper-case name that we know", "request", withField("Accept", "1")],
  ["8.2.1", "an upper-case pseudo-field", "request", [...without(":path"), [":Path", "/"]]],
  ["8.2.1", "an empty name", "request", withField("", "1")],
  ["8.2.1", "a space in a name", "request", withField("x id", "1")],
  ["8.2.1", "a colon in a name", "request", withField("x:id", "1")],
  ["8.2.1", "a line end in a name", "request", withField("x\r\nhost", "1")],
  ["8.2.1", "an octet above ASCII in a name", "request", withField("x\u00e4", "1")],
  ["8.2.1", "NUL in a value", "request", withField("x", "a\0b")],
  ["8.2.1", "a line feed in a value", "request", withField("x", "a\nb")],
  ["8.2.1", "a carriage return in a value", "request", withField("x", "a\rb")],
  ["8.2.1", "a value that begins with a space", "request", withField("x", " a")],
  ["8.2.1", "a value that ends with a tab", "request", withField("x", "a\t")],
  ["8.2.2", "connection", "request", withField("connection", "close")],
  ["8.2.2", "keep-alive", "request", withField("keep-alive", "1")],
  ["8.2.2", "proxy-connection", "request", withField("proxy-connection", "close")],
  ["8.2.2", "transfer-encoding", "request", withField("transfer-encoding", "chunked")],
  ["8.2.2", "upgrade", "request", withField("upgrade", "websocket")],
  ["8.2.2", "te other than trailers", "request", withField("te", "trailers, deflate")],
  ["8.2.2", "connection in a response", "response", [...OK, ["connection", "close"]]],
  ["8.3", "an unknown pseudo-field", "request", [[":foo", "1"], ...GET]],
  ["8.3", "a response's pseudo-field in a request", "request", [[":status", "200"], ...GET]],
  ["8.3", "a request's pseudo-field in a response", "response", [...OK, [":path", "/"]]],
  ["8.3", "a pseudo-field after a regular one", "request", [["x", "1"], ...GET]],
  ["8.3", "a pseudo-field twice", "request", [...GET, [":path", "/other"]]],
  ["8.3", "a pseudo-field in trailers", "trailers", [[":path", "/"]]],
  ["8.3.1", "no :method", "request", without(":method")],
  ["8.3.1", "no :scheme", "request", without(":scheme")],
  ["8.3.1", "no :path", "request", without(":path")],
  ["8.3.1", "no :authority, nor host", "request", without(":authority")],
  ["8.3.1", "an empty :path", "request", replaced(":path", "")],
  ["8.3.1", "a :path that does not begin with a slash", "request", replaced(":path", "cart")],
  ["8.3.1", "a :path in absolute form", "request", replaced(":path", "http://other.example/")],
  ["8.3.1", "an asterisk beside OPTIONS", "request", replaced(":path", "*")],
  [
    "8.3.1",
    "a space in :path (smuggles an HTTP/1 line)",
    "request",
    replaced(":path", "/a HTTP/1.1"),
  ],
  ["8.3.1", "a fragment in :path (QK-2)", "request", replaced(":path", "/cart#x")],
  ["8.3.1", "a :method that is no token", "request", replaced(":method", "GET /admin HTTP/1.1")],
  ["8.3.1", "an empty :method", "request", replaced(":method", "")],
  ["8.3.1", "a :method in lower case (QK-11)", "request", replaced(":method", "get")],
  ["8.3.1", "a scheme other than http and https", "request", replaced(":scheme", "ftp")],
  ["8.3.1", "user information in :authority", "request", replaced(":authority", "me@shop.example")],
  ["8.3.1", "an empty :authority", "request", replaced(":authority", "")],
  ["8.3.1", "a slash in :authority", "request", replaced(":authority", "shop.example/a")],
  ["8.3.1", "a host other than :authority (QK-6)", "request", withField("host", "other.example")],
  [
    "8.3.1",
    "host twice",
    "request",
    [...withField("host", "shop.example"), ["host", "shop.example"]],
  ],
  ["8.3.1", "a host that is none", "request", [...without(":authority"), ["host", "a b"]]],
  ["8.3.2", "no :status", "response", [["x", "1"]]],
  ["8.3.2", ":status 101", "response", [[":status", "101"]]],
  ["8.3.2", ":status of two digits", "response", [[":status", "20"]]],
  ["8.3.2", ":status that is no number", "response", [[":status", "2x0"]]],
  ["8.3.2", ":status 099", "response", [[":status", "099"]]],
  [
    "8.5",
    "CONNECT with a path",
    "request",
    [
      [":method", "CONNECT"],
      [":authority", "a:1"],
      [":path", "/"],
    ],
  ],
  [
    "8.5",
    "CONNECT with a scheme",
    "request",
    [
      [":method", "CONNECT"],
      [":authority", "a:1"],
      [":scheme", "http"],
    ],
  ],
  ["8.5", "CONNECT without :authority", "request", [[":method", "CONNECT"]]],
  [
    "RFC 8441",
    ":protocol, which we have not offered",
    "request",
    [...replaced(":method", "CONNECT"), [":protocol", "websocket"]],
  ],
  ["8.1.1", "a content-length that is no number", "request", withField("content-length", "1x")],
  ["8.1.1", "a signed content-length", "request", withField("content-length", "+1")],
  ["8.1.1", "an empty content-length", "request", withField("content-length", "")],
  [
    "8.1.1",
    "content-length twice",
    "request",
    [...withField("content-length", "1"), ["content-length", "1"]],
  ],
  [
    "8.1.1",
    "a content-length beyond all numbers",
    "request",
    withField("content-length", "99999999999999999999"),
  ],
  ["8.1", "content-length in trailers", "trailers", [["content-length", "1"]]],
  ["8.1", "host in trailers", "trailers", [["host", "shop.example"]]],
  ["8.1", "authorization in trailers", "trailers", [["authorization", "x"]]],
];
for (const [section, what, kind, fields] of malformed) {
  test(`RFC 9113 section ${section}: ${what} is malformed`, () => {
    assert.notEqual(read(kind, fields).problem, "");
  });
}

const wellFormed: [what: string, kind: HeadKind, fields: readonly Field[], said: string][] = [
  ["a request", "request", GET, "GET shop.example/cart {}"],
  [
    "te of trailers",
    "request",
    withField("te", "trailers"),
    "GET shop.example/cart {te: trailers}",
  ],
  [
    "a host that is the same but for case",
    "request",
    withField("host", "Shop.Example"),
    "GET Shop.Example/cart {host: Shop.Example}",
  ],
  [
    "a host instead of :authority",
    "request",
    [...without(":authority"), ["host", "a.example:80"]],
    "GET a.example:80/cart {host: a.example:80}",
  ],
  [
    "OPTIONS of the server",
    "request",
    [
      [":method", "OPTIONS"],
      [":scheme", "https"],
      [":authority", "a"],
      [":path", "*"],
    ],
    "OPTIONS a* {}",
  ],
  [
    "CONNECT",
    "request",
    [
      [":method", "CONNECT"],
      [":authority", "a.example:443"],
    ],
    "CONNECT a.example:443 {}",
  ],
  ["another method", "request", replaced(":method", "PROPFIND"), "PROPFIND shop.example/cart {}"],
  ["an IPv6 address", "request", replaced(":authority", "[::1]:80"), "GET [::1]:80/cart {}"],
  [
    "fields twice, one empty",
    "request",
    [...withField("x", ""), ["x", "2"]],
    "GET shop.example/cart {x: , x: 2}",
  ],
  ["a response", "response", [...OK, ["server", "a b"]], "200 {server: a b}"],
];
for (const [what, kind, fields, said] of wellFormed) {
  test(`${what} is well formed`, () => {
    const head = read(kind, fields);
    assert.equal(head.problem, "");
    assert.equal(sayHead(head), said);
  });
}

for (const method of ["CONNECT", "TRACE"]) {
  test(`RFC 9110 section 9.3: ${method} with content is malformed`, () => {
    const place = method === "CONNECT" ? GET.slice(2, 3) : GET.slice(1);
    const fields: readonly Field[] = [[":method", method], ...place];
    assert.equal(read("request", [...fields, ["content-length", "0"]]).problem, "");
    assert.notEqual(read("request", [...fields, ["content-length", "1"]]).problem, "");
  });
}

test(`more than ${MAX_FIELDS} fields are too many (QK-15)`, () => {
  const fields = Array.from({ length: MAX_FIELDS }, (_, at): Field => [`x-${at}`, "1"]);
  assert.ok(!read("request", [...GET, ...fields]).isTooLarge);
  assert.ok(read("request", [...GET, ...fields, ["y", "1"]]).isTooLarge);
});

test(`fields of together more than ${MAX_FIELD_LIST} octets are too large`, () => {
  const value = "v".repeat(MAX_FIELD_LIST / 2 - 168);
  assert.ok(
    !read("trailers", [
      ["a", value],
      ["b", value],
    ]).isTooLarge,
  );
  assert.ok(
    read("trailers", [
      ["a", value],
      ["b", `${value}${"v".repeat(300)}`],
    ]).isTooLarge,
  );
});

test("known fields are found by their ids", () => {
  const head = read("request", [...GET, ["x-id", "1"], ["content-type", "a/b"], ["accept", "*/*"]]);
  const at = findField(head, FIELD["content-type"]);
  assert.equal(at, 1);
  assert.equal(fieldValue(head, at), "a/b");
  assert.equal(findField(head, FIELD["user-agent"]), -1);
  assert.equal(findField(head, FIELD.other), 0);
});
