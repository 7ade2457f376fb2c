import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  dnsFailure,
  dnsTruncation,
  readDnsEnvelope,
  sameDnsQuestion,
  withDnsId,
} from "./dns-envelope.ts";

/** Header of a query for `A` of the labels, under id 0x1234, recursion desired. */
function query(labels: readonly string[], type = 1): Buffer {
  const header = Buffer.from("123401000001000000000000", "hex");
  const name = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([header, ...name, Buffer.from([0, 0, type, 0, 1])]);
}

test("RFC 1035 4.1: header and question are read", () => {
  const envelope = readDnsEnvelope(query(["api", "shop"]));
  assert.deepEqual(
    { ...envelope, question: envelope?.question?.toString("latin1") },
    {
      id: 0x1234,
      kind: "query",
      opcode: 0,
      truncation: "whole",
      responseCode: 0,
      questionCount: 1,
      recordCount: 0,
      additionalCount: 0,
      question: "\x03api\x04shop\0\0\x01\0\x01",
    },
  );
});

const whole = query(["api"]);
const withoutQuestion: [what: string, message: Buffer][] = [
  ["a question cut short", whole.subarray(0, whole.length - 1)],
  ["a name cut short", whole.subarray(0, 14)],
  ["a compressed name", Buffer.concat([whole.subarray(0, 12), Buffer.from("c00c00010001", "hex")])],
  ["a name of more than 255 bytes", query(Array<string>(5).fill("a".repeat(60)))],
];
for (const [what, message] of withoutQuestion) {
  test(`${what} is no question, and the failure repeats none`, () => {
    assert.equal(readDnsEnvelope(message)?.question, undefined);
    assert.equal(dnsFailure(message, "FORMERR").toString("hex"), "123481810000000000000000");
  });
}

test("less than a header is nothing", () => {
  assert.equal(readDnsEnvelope(whole.subarray(0, 11)), undefined);
});

test("a failure and a truncation repeat id, recursion desired and question", () => {
  const question = whole.subarray(12).toString("hex");
  assert.equal(
    dnsFailure(whole, "SERVFAIL").toString("hex"),
    `123481820001000000000000${question}`,
  );
  assert.equal(dnsTruncation(whole).toString("hex"), `123483800001000000000000${question}`);
});

test("questions are the same whatever the case of the name, and not when the type differs", () => {
  const questionOf = (message: Buffer): Buffer => {
    const question = readDnsEnvelope(message)?.question;
    assert.ok(question);
    return question;
  };
  const asked = questionOf(query(["api", "Shop"]));
  assert.ok(sameDnsQuestion(asked, questionOf(query(["API", "shop"]))));
  assert.ok(!sameDnsQuestion(asked, questionOf(query(["api", "shoq"]))));
  // 0x41 and 0x61, which are "A" and "a" where they are letters.
  assert.ok(!sameDnsQuestion(questionOf(query(["a"], 0x41)), questionOf(query(["a"], 0x61))));
});

test("law: whatever comes is read without an error, and another id changes nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(0xffff), (bytes, id) => {
      const message = Buffer.from(bytes);
      const envelope = readDnsEnvelope(message);
      assert.equal(envelope === undefined, message.length < 12);
      if (envelope === undefined) return;
      const renamed = readDnsEnvelope(withDnsId(message, id));
      assert.deepEqual(renamed, { ...envelope, id });
      assert.equal(readDnsEnvelope(dnsFailure(message, "SERVFAIL"))?.kind, "response");
    }),
  );
});
