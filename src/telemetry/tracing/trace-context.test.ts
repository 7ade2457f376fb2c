import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTraceParent, isTraceState, parseTraceParent } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

const parents: [what: string, header: string, expected: "sampled" | "unsampled" | "malformed"][] = [
  ["the standard's example", `00-${TRACE}-${PARENT}-01`, "sampled"],
  ["one that is not sampled", `00-${TRACE}-${PARENT}-00`, "unsampled"],
  ["flags that are not known yet", `00-${TRACE}-${PARENT}-ff`, "sampled"],
  ["unknown flags without the one that counts", `00-${TRACE}-${PARENT}-fe`, "unsampled"],
  ["a version to come", `cc-${TRACE}-${PARENT}-01`, "sampled"],
  ["a version to come with more", `cc-${TRACE}-${PARENT}-01-what-will-be`, "sampled"],
  [
    "a version to come with more that is none",
    `cc-${TRACE}-${PARENT}-01.what-will-be`,
    "malformed",
  ],
  ["a version to come, cut", `cc-${TRACE}-${PARENT}-0`, "malformed"],
  ["version 00 with more", `00-${TRACE}-${PARENT}-01-more`, "malformed"],
  ["version 00 with a hyphen more", `00-${TRACE}-${PARENT}-01-`, "malformed"],
  ["version ff", `ff-${TRACE}-${PARENT}-01`, "malformed"],
  ["a version of one digit", `0-${TRACE}-${PARENT}-01`, "malformed"],
  ["a version that is no number", `.0-${TRACE}-${PARENT}-01`, "malformed"],
  ["upper-case digits", `00-${TRACE.toUpperCase()}-${PARENT}-01`, "malformed"],
  ["upper-case flags", `00-${TRACE}-${PARENT}-0A`, "malformed"],
  ["a trace id of zeros", `00-${"0".repeat(32)}-${PARENT}-01`, "malformed"],
  ["a parent id of zeros", `00-${TRACE}-${"0".repeat(16)}-01`, "malformed"],
  ["a trace id with a zero at its start", `00-0${TRACE.slice(1)}-${PARENT}-01`, "sampled"],
  ["a trace id that is too long", `00-${TRACE}1-${PARENT}-01`, "malformed"],
  ["a trace id that is too short", `00-${TRACE.slice(1)}-${PARENT}-01`, "malformed"],
  ["a parent id with a letter", `00-${TRACE}-${PARENT.slice(1)}g-01`, "malformed"],
  ["flags of one digit", `00-${TRACE}-${PARENT}-1`, "malformed"],
  ["two fields, joined", `00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01`, "malformed"],
  ["white space within", `00 -${TRACE}-${PARENT}-01`, "malformed"],
  ["nothing", "", "malformed"],
];
for (const [what, header, expected] of parents) {
  test(`traceparent: ${what} is ${expected}`, () => {
    const parsed = parseTraceParent(header);
    if (expected === "malformed") return assert.equal(parsed, undefined);
    assert.equal(parsed?.isSampled, expected === "sampled");
    assert.equal(parsed?.parentId, PARENT);
  });
}

const idOf = (digits: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: digits, maxLength: digits })
    .filter((id) => /[^0]/.test(id));
const parent = fc.record(
  { traceId: idOf(32), parentId: idOf(16), isSampled: fc.boolean() },
  { noNullPrototype: true },
);

test("traceparent: what is written is what is read", () => {
  fc.assert(
    fc.property(parent, (written) => {
      assert.deepEqual(parseTraceParent(formatTraceParent(written)), written);
    }),
  );
});

test("traceparent: one character changed to what is no digit there makes it malformed", () => {
  const other = fc.constantFrom("g", "A", " ", "-", ",", "é");
  fc.assert(
    fc.property(parent, fc.nat({ max: 54 }), other, (written, at, put) => {
      const header = formatTraceParent(written);
      fc.pre(header[at] !== put);
      const changed = header.slice(0, at) + put + header.slice(at + 1);
      assert.equal(parseTraceParent(changed), undefined);
    }),
  );
});

const members = (count: number): string =>
  Array.from({ length: count }, (_, index) => `k${index}=1`).join(",");
const states: [what: string, header: string, expected: "kept" | "dropped"][] = [
  ["one member", "congo=t61rcWkgMzE", "kept"],
  ["several, with space and empty ones", "rojo=00f067,, congo=t61 \t, ", "kept"],
  ["a key of several tenants", "fw529a3039@dt=FfAAA", "kept"],
  ["a key with a digit first, of several tenants", "0a@vendor=1", "kept"],
  ["a key with a digit first", "0a=1", "dropped"],
  ["all that a key may have", "a_-*/9=1", "kept"],
  ["an upper-case key", "Foo=1", "dropped"],
  ["two signs in a key", "a@b@c=1", "dropped"],
  ["a vendor that is too long", "a@bcdefghijklmnop=1", "dropped"],
  ["a key of 256 characters", `${"a".repeat(256)}=1`, "kept"],
  ["a key of 257", `${"a".repeat(257)}=1`, "dropped"],
  ["a value of 256", `a=${"b".repeat(256)}`, "kept"],
  ["a value of 257", `a=${"b".repeat(257)}`, "dropped"],
  ["a value with = in it", "a=b=c", "dropped"],
  ["a value with space within", "a=b c", "kept"],
  ["no value", "a=", "dropped"],
  ["no key", "=a", "dropped"],
  ["neither", "a", "dropped"],
  ["a letter that is not ASCII", "a=é", "dropped"],
  ["32 members", members(32), "kept"],
  ["33 members", members(33), "dropped"],
  ["nothing", "", "dropped"],
  ["nothing but commas", ", ,", "dropped"],
  ["a great many commas", ",".repeat(100_000), "dropped"],
];
for (const [what, header, expected] of states) {
  test(`tracestate: ${what} is ${expected}`, () => {
    assert.equal(isTraceState(header), expected === "kept");
  });
}
