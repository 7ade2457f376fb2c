/** Laws of what is written and read by hand: messages of protobuf, and answers of authorizers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCheckResponse } from "./check-response.ts";
import { MalformedMessageError, messageFields } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";
import { structAsJson } from "./struct-json.ts";

type Field =
  | { readonly number: number; readonly integer: number }
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly nested: readonly Field[] };

const number = fc.integer({ min: 1, max: 40 });
const { fields } = fc.letrec<{ fields: Field[] }>((tie) => ({
  fields: fc.array(
    fc.oneof(
      { maxDepth: 4 },
      fc.record({ number, integer: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
      fc.record({ number, text: fc.string({ minLength: 1, maxLength: 300 }) }),
      fc.record({ number, nested: tie("fields") as fc.Arbitrary<readonly Field[]> }),
    ),
    { maxLength: 6 },
  ),
}));

function write(writer: MessageWriter, message: readonly Field[]): void {
  for (const field of [...message].reverse()) {
    if ("integer" in field) writer.integer(field.number, field.integer);
    else if ("text" in field) writer.text(field.number, field.text);
    else {
      const before = writer.length;
      write(writer, field.nested);
      writer.nest(field.number, before);
    }
  }
}

function check(bytes: Buffer, message: readonly Field[]): void {
  const read = [...messageFields(bytes)];
  assert.equal(read.length, message.length);
  for (const [index, field] of message.entries()) {
    const found = read[index];
    assert.equal(found?.number, field.number);
    if ("integer" in field) assert.equal(found.integer, field.integer);
    else if ("text" in field) assert.equal(found.bytes.toString("latin1"), field.text);
    else check(found.bytes, field.nested);
  }
}

test("what is written is read, however deep it is nested", () => {
  const writer = new MessageWriter();
  fc.assert(
    fc.property(fields, (message) => {
      write(writer, message);
      check(writer.take(), message);
    }),
  );
});

test("a long message, and a short one after it", () => {
  const writer = new MessageWriter();
  for (const length of [100_000, 1, 5_000]) {
    writer.text(1, "x".repeat(length));
    const [field] = messageFields(writer.take());
    assert.equal(field?.bytes.length, length);
  }
});

const texts: [octets: string, told: string][] = [
  ["plain", "plain"],
  [Buffer.from("caf\u00e9 \u2713").toString("latin1"), "caf\u00e9 \u2713"],
  ["caf\u00e9", "caf!"],
  ["\u00ff\u00fe", "!!"],
];
for (const [octets, told] of texts) {
  test(`a text of octets that are UTF-8 stays, others become exclamation marks: ${told}`, () => {
    const writer = new MessageWriter();
    writer.text(1, octets);
    const bytes = Buffer.from(`<${octets}>`, "latin1");
    writer.octetsOfText(bytes, 1, bytes.length - 1);
    writer.nest(2, writer.length - (bytes.length - 2));
    const read = [...messageFields(writer.take())].map((field) => field.bytes.toString());
    assert.deepEqual(read, [told, told]);
  });
}

test("bytes that are no message are refused, and no other error comes of any", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
      try {
        for (const field of messageFields(Buffer.from(octets))) assert.ok(field.number > 0);
      } catch (error) {
        assert.ok(error instanceof MalformedMessageError);
      }
    }),
  );
});

test("whatever an authorizer sends is a verdict, and only status 0 allows", () => {
  const writer = new MessageWriter();
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((octets) => Buffer.from(octets)),
    fields.map((one) => {
      write(writer, one);
      return writer.take();
    }),
  );
  fc.assert(
    fc.property(message, (bytes) => {
      const verdict = readCheckResponse(bytes);
      if (verdict.outcome !== "allowed") return;
      const statuses = [...messageFields(bytes)].filter((field) => field.number === 1);
      const code = statuses.at(-1)?.bytes ?? Buffer.alloc(0);
      const said = [...messageFields(code)].filter((field) => field.number === 1).at(-1);
      assert.equal(said?.integer ?? 0, 0);
    }),
    { numRuns: 500 },
  );
});

test("an empty answer allows: gRPC's OK is what is not written", () => {
  assert.equal(readCheckResponse(Buffer.alloc(0)).outcome, "allowed");
});

const contradictions: [what: string, field: number, status: number[], outcome: string][] = [
  ["words for whom it denies, without a status", 2, [], "denied"],
  ["words for whom it denies, and status OK", 2, [0], "denied"],
  ["that it has failed, without a status", 5, [], "failed"],
  ["that it has failed, and status OK", 5, [0], "failed"],
  ["words for whom it allows, without a status", 3, [], "allowed"],
  ["words for whom it allows, and a status that denies", 3, [7], "denied"],
];
for (const [what, field, statuses, outcome] of contradictions) {
  test(`EA-27: an answer with ${what} is ${outcome}`, () => {
    const writer = new MessageWriter();
    writer.bytes(field, Buffer.alloc(0));
    for (const status of statuses) {
      const before = writer.length;
      writer.integer(1, status);
      writer.nest(1, before);
    }
    assert.equal(readCheckResponse(writer.take()).outcome, outcome);
  });
}

test("an authorizer that says it has failed is not taken for one that denies", () => {
  const writer = new MessageWriter();
  writer.bytes(5, Buffer.alloc(0));
  const before = writer.length;
  writer.integer(1, 7);
  writer.nest(1, before);
  assert.equal(readCheckResponse(writer.take()).outcome, "failed");
});

test("metadata is told up to a depth and a length", () => {
  const writer = new MessageWriter();
  const nested = (depth: number): void => {
    const before = writer.length;
    const value = writer.length;
    if (depth > 0) {
      nested(depth - 1);
      writer.nest(5, value);
    } else writer.text(3, "x".repeat(3_000));
    writer.nest(2, value);
    writer.text(1, "k");
    writer.nest(1, before);
  };
  nested(0);
  const long = structAsJson(writer.take()) ?? "";
  assert.ok(long.length < 1_100 && long.startsWith('{"k":"xxx'));
  nested(30);
  assert.match(structAsJson(writer.take()) ?? "", /^(\{"k":){8}"…"\}{8}$/);
  assert.equal(structAsJson(Buffer.alloc(0)), undefined);
});

test("a denial whose words cannot be passed on is a denial without words, and no error (EA-27)", () => {
  const writer = new MessageWriter();
  const header: readonly Field[] = [
    {
      number: 1,
      nested: [
        { number: 1, text: "x-path" },
        { number: 2, text: "a\r\nb: c" },
      ],
    },
  ];
  write(writer, [
    { number: 1, nested: [{ number: 1, integer: 7 }] },
    { number: 2, nested: [{ number: 2, nested: header }] },
  ]);
  assert.deepEqual(readCheckResponse(writer.take()), {
    outcome: "denied",
    answer: { status: 403, body: "", headers: [] },
  });
});

test("a status in two parts is one: its code stays", () => {
  const writer = new MessageWriter();
  write(writer, [
    { number: 1, nested: [{ number: 1, integer: 7 }] },
    { number: 1, nested: [{ number: 2, text: "no" }] },
  ]);
  assert.equal(readCheckResponse(writer.take()).outcome, "denied");
});
