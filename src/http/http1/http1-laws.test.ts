/** What holds for all messages: wherever they are cut, and whoever reads them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { octets, request, response } from "../../../test/kit/http1-generator.ts";
import { readRequestsByNode, readResponsesByNode } from "../../../test/kit/node-http1.ts";
import { readRequests, readResponses } from "../../../test/kit/read-http1.ts";
import { ANSWERS } from "./response-head.ts";

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

function plain(message: {
  readonly line: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}): unknown {
  const { line, fields: all, body, trailers } = message;
  return { line, fields: all, body, trailers };
}
