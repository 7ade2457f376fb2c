/** What holds for all messages: wherever they are cut, whoever reads them, and when they have gone through us. */
import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { readRequestsByNode, readResponsesByNode } from "../../../test/kit/node-http1.ts";
import { readRequests, readResponses } from "../../../test/kit/read-http1.ts";
import { HeadEdit } from "./head-edit.ts";
import { RequestHead } from "./request-head.ts";
import { ANSWERS } from "./response-head.ts";

const token = fc
  .array(fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"), { minLength: 1, maxLength: 12 })
  .map((letters) => letters.join(""));
const text = fc
  .array(
    fc.integer({ min: 32, max: 255 }).filter((byte) => byte !== 127),
    { maxLength: 30 },
  )
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const octets = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const target = fc
  .array(
    fc.integer({ min: 33, max: 126 }).filter((byte) => byte !== 35),
    { maxLength: 30 },
  )
  .map((bytes) => `/${Buffer.from(bytes).toString("latin1")}`);
const space = fc.constantFrom("", " ", "\t", "  \t ");
const field = fc
  .tuple(token, space, text, space)
  .map(([name, before, value, after]) => `z-${name}:${before}${value.trim()}${after}\r\n`);
const fields = fc.array(field, { maxLength: 8 }).map((all) => all.join(""));
const size = (length: number): string => length.toString(16);

const chunks = fc
  .tuple(
    fc.array(octets.filter((one) => one !== "")),
    fields,
    fc.constantFrom("", ";a", ';b="c d"'),
  )
  .map(([parts, trailers, extension]) => {
    const coded = parts.map((part) => `${size(part.length)}${extension}\r\n${part}\r\n`).join("");
    return `Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n${trailers}\r\n`;
  });
const sized = octets.map((body) => `Content-Length: ${body.length}\r\n\r\n${body}`);
const rest = fc.oneof(fc.constant("\r\n"), sized, chunks);

const method = fc.constantFrom(...METHODS.filter((name) => name !== "CONNECT" && name !== "TRACE"));
const request = fc
  .tuple(method, target, fields, rest)
  .map(([name, path, more, end]) => `${name} ${path} HTTP/1.1\r\nHost: a\r\n${more}${end}`);
const response = fc
  .tuple(fc.constantFrom(200, 206, 404, 500, 599), fields, fc.oneof(sized, chunks))
  .map(([status, more, end]) => `HTTP/1.1 ${status} Reason\r\n${more}${end}`);

const connection = fc.array(request, { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
/** Puts a piece in, or nothing: as good as any that a stranger may send. */
const spoiling = fc
  .tuple(fc.nat(), fc.oneof(fc.constantFrom("", "\r", "\n", "\0", " ", ":", "\r\n"), octets))
  .map(([place, piece]) => (whole: string): string => {
    const at = place % (whole.length + 1);
    return whole.slice(0, at) + piece + whole.slice(at);
  });
const spoiled = fc.tuple(connection, spoiling).map(([whole, spoil]) => spoil(whole));
const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 12 });

test("QK-16: cut anywhere, a connection reads as it does whole", () => {
  fc.assert(
    fc.property(fc.oneof(connection, spoiled), cuts, (whole, places) => {
      const bytes = Buffer.from(whole, "latin1");
      const sorted = places.filter((at) => at <= bytes.length).sort((a, b) => a - b);
      assert.deepEqual(readRequests(bytes, { cuts: sorted }), readRequests(bytes));
    }),
    { numRuns: 500 },
  );
});

test("cut before every byte, a connection reads as it does whole", () => {
  fc.assert(
    fc.property(fc.oneof(connection, spoiled), (whole) => {
      const bytes = Buffer.from(whole, "latin1");
      const everywhere = Array.from(bytes, (_, index) => index);
      assert.deepEqual(readRequests(bytes, { cuts: everywhere }), readRequests(bytes));
    }),
    { numRuns: 60 },
  );
});

test("cut before every byte, an answer reads as it does whole", () => {
  const interim = fc.constantFrom(
    "",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103\r\nX: 1\r\n\r\n",
  );
  const answer = fc
    .tuple(interim, response, spoiling)
    .map(([before, one, spoil]) => spoil(before + one));
  fc.assert(
    fc.property(answer, (whole) => {
      const bytes = Buffer.from(whole, "latin1");
      const everywhere = Array.from(bytes, (_, index) => index);
      const pieces = readResponses(bytes, ANSWERS.plain, { cuts: everywhere });
      assert.deepEqual(pieces, readResponses(bytes, ANSWERS.plain));
    }),
    { numRuns: 60 },
  );
});

test("all well-formed requests are read, to their end", () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), (all) => {
      const { messages, outcome } = readRequests(Buffer.from(all.join(""), "latin1"));
      assert.equal(outcome, "idle");
      let end = 0;
      const ends = all.map((one) => {
        end += one.length;
        return end;
      });
      assert.deepEqual(
        messages.map((message) => message.end),
        ends,
      );
    }),
  );
});

test("node:http reads the same requests", async () => {
  await fc.assert(
    fc.asyncProperty(connection, async (whole) => {
      const bytes = Buffer.from(whole, "latin1");
      const [theirs = []] = await readRequestsByNode([bytes]);
      assert.deepEqual(readRequests(bytes).messages.map(plain), theirs.map(plain));
    }),
    { numRuns: 100 },
  );
});

test("node:http reads the same response", async () => {
  await fc.assert(
    fc.asyncProperty(response, async (whole) => {
      const bytes = Buffer.from(whole, "latin1");
      const [theirs = []] = await readResponsesByNode([{ bytes, asked: "plain" }]);
      assert.deepEqual(readResponses(bytes, ANSWERS.plain).messages.map(plain), theirs.map(plain));
    }),
    { numRuns: 100 },
  );
});

const hop = fc.constantFrom(
  "Connection: close, z-a, host\r\n",
  "Keep-Alive: 5\r\n",
  "TE: trailers\r\n",
  "X-Forwarded-For: 1\r\n",
);

test("what goes on is read by us and by node:http as what was meant", async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.array(hop, { maxLength: 3 }), text, async (one, hops, value) => {
      const bytes = Buffer.from(
        one.replace("Host: a\r\n", `Host: a\r\n${hops.join("")}`),
        "latin1",
      );
      const written = forward(bytes, value.trim());
      const [came] = readRequests(bytes).messages;
      const { messages, outcome } = readRequests(written);
      assert.equal(outcome, "idle");
      const [went] = messages;
      assert.equal(went?.line, came?.line);
      assert.equal(went?.body, came?.body);
      const stays = came?.fields.filter((_, index, all) => staysAt(all, index - (index % 2)));
      assert.deepEqual(went?.fields, [...(stays ?? []), "added", value.trim()]);
      const [theirs = []] = await readRequestsByNode([written]);
      assert.deepEqual(messages.map(plain), theirs.map(plain));
    }),
    { numRuns: 100 },
  );
});

/** Of one request, with a field more. */
function forward(bytes: Buffer, value: string): Buffer {
  const head = new RequestHead();
  const end = head.scan(bytes, 0, bytes.length);
  const edit = new HeadEdit();
  edit.begin(head);
  edit.add("added", value);
  const target = Buffer.alloc(edit.maxBytes);
  return Buffer.concat([target.subarray(0, edit.write(target, 0)), bytes.subarray(end)]);
}

function staysAt(fields: readonly string[], place: number): boolean {
  const name = fields[place]?.toLowerCase() ?? "";
  if (["connection", "keep-alive", "te"].includes(name)) return false;
  return name !== "z-a" || !fields.includes("close, z-a, host");
}

function plain(message: {
  readonly line: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}): unknown {
  const { line, fields: all, body, trailers } = message;
  return { line, fields: all, body, trailers };
}
