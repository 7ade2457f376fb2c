import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readRequest } from "../../../test/kit/otlp-messages.ts";
import { encodeSpan, spanRequests } from "./otlp-span.ts";

const requestOf = spanRequests({ serviceName: "api.shop", version: "1.2.3" });

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(..."0123456789abcdef"),
    minLength: digits,
    maxLength: digits,
  });
/** Long enough that lengths need two bytes and three, and of all planes. */
const words = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.nat({ max: 20_000 }).map((length) => "ü".repeat(length)),
);
const time = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 });
const spans = fc.array(
  fc.record({
    traceId: hex(32),
    spanId: hex(16),
    parentId: fc.option(hex(16)),
    traceState: words,
    name: words,
    kind: fc.constantFrom("server" as const, "client" as const),
    startedAt: time,
    lastsMs: fc.nat({ max: 100_000 }),
    attributes: fc.dictionary(words, words),
    isError: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

test("what is written by hand is what protobuf's own library reads", () => {
  fc.assert(
    fc.property(spans, (written) => {
      const encoded = written.map(({ kind, startedAt, lastsMs, attributes, isError, ...span }) => {
        const { parentId, ...ids } = span;
        return encodeSpan(
          { ...ids, ...(parentId !== null && { parentId }), startedAt },
          {
            kind,
            endedAt: startedAt + lastsMs,
            attributes: new Map(Object.entries(attributes)),
            isError,
          },
        );
      });
      const read = readRequest(requestOf(encoded));
      assert.deepEqual(
        read.spans.map((span) => ({ ...span, attributes: { ...span.attributes } })),
        written.map(({ parentId, kind, startedAt, lastsMs, attributes, isError, ...span }) => ({
          ...span,
          parentSpanId: parentId ?? "",
          kind: kind === "server" ? 2 : 3,
          startNano: BigInt(startedAt) * 1_000_000n,
          endNano: BigInt(startedAt + lastsMs) * 1_000_000n,
          attributes: { ...attributes },
          status: isError ? 2 : 0,
        })),
      );
    }),
    { numRuns: 60 },
  );
});

test("a request says who tells it", () => {
  const span = encodeSpan(
    {
      traceId: "ab".repeat(16),
      spanId: "cd".repeat(8),
      name: "n",
      startedAt: 1_700_000_000_000.25,
    },
    { kind: "client", endedAt: 0, attributes: new Map(), isError: false },
  );
  const { resource, scope, spans: read } = readRequest(requestOf([span]));
  assert.deepEqual(
    { ...resource },
    {
      "service.name": "api.shop",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.name": "hauberk",
      "telemetry.sdk.version": "1.2.3",
    },
  );
  assert.equal(scope, "hauberk");
  // A clock that was set back makes no span that ends before it begins.
  assert.deepEqual(
    [read[0]?.startNano, read[0]?.endNano],
    [1_700_000_000_000_250_000n, 1_700_000_000_000_250_000n],
  );
});
