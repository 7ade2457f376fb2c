import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileStringMatch, parseStringMatch, type StringMatchOptions } from "./string-match.ts";

const cases: [
  rule: string,
  pattern: string,
  value: string,
  matches: boolean,
  StringMatchOptions?,
][] = [
  ["AP-40 exact", "abc", "abc", true],
  ["AP-40 exact", "abc", "abcd", false],
  ["AP-40 prefix", "abc*", "abcd", true],
  ["AP-40 prefix may be the whole", "abc*", "abc", true],
  ["AP-40 prefix", "abc*", "xabc", false],
  ["AP-40 suffix", "*abc", "xabc", true],
  ["AP-40 suffix", "*abc", "abcx", false],
  ["AP-41 star", "*", "x", true],
  ["AP-41 star demands something", "*", "", false],
  ["AP-41 star of a header accepts an empty value", "*", "", true, { star: "present" }],
  ["AP-42 star in the middle is literal", "a*c", "abc", false],
  ["AP-42 star in the middle is literal", "a*c", "a*c", true],
  ["AP-42, MV-9 both ends is a suffix", "*sleep*", "sleep", false],
  ["AP-42 both ends is a suffix", "*sleep*", "x-sleep*", true],
  ["AP-43 case", "abc", "ABC", false],
  ["MV-21 hosts", "Example.com", "example.COM", true, { letterCase: "insensitive" }],
  [
    "MV-22 hosts keep the port",
    "example.com",
    "example.com:80",
    false,
    { letterCase: "insensitive" },
  ],
  ["MV-23 hosts", "*.example.com", "example.com", false, { letterCase: "insensitive" }],
  ["AP-52 host suffix", "*.Example.com", "a.EXAMPLE.com", true, { letterCase: "insensitive" }],
  ["AP-52 host presence", "*", "", true, { letterCase: "insensitive", star: "present" }],
  ["AP-43 only ASCII folds", "\u212a", "k", false, { letterCase: "insensitive" }],
  ["AP-44 no trimming", "abc", " abc", false],
  ["AP-44 no decoding", "/a%2Fb", "/a/b", false],
  ["AP-40 empty pattern", "", "", true],
];
for (const [rule, pattern, value, matches, options] of cases) {
  test(`${rule}: "${pattern}" ${matches ? "matches" : "does not match"} "${value}"`, () => {
    assert.equal(compileStringMatch(pattern, options)(value), matches);
  });
}

test("a pattern is data that an index can read", () => {
  assert.deepEqual(
    ["*", "*a", "a*", "a", "**"].map((pattern) => parseStringMatch(pattern)),
    [
      { kind: "present" },
      { kind: "suffix", text: "a" },
      { kind: "prefix", text: "a" },
      { kind: "exact", text: "a" },
      { kind: "suffix", text: "*" },
    ],
  );
});

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function oracle(pattern: string): RegExp {
  const [, leading, middle = "", trailing] = /^(\*?)(.*?)(\*?)$/s.exec(pattern) ?? [];
  if (pattern === "*") return /^.+$/s;
  if (leading === "*") return new RegExp(`^.*${quoted(pattern.slice(1))}$`, "s");
  return new RegExp(`^${quoted(middle)}${trailing === "*" ? ".*" : ""}$`, "s");
}

test("law: agrees with a regular expression written from AP-40..AP-42", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", ".", "/", "\n"), maxLength: 6 });
  let matched = 0;
  fc.assert(
    fc.property(letters, letters, (pattern, value) => {
      const expected = oracle(pattern).test(value);
      if (expected) matched++;
      assert.equal(compileStringMatch(pattern)(value), expected);
    }),
    { numRuns: 2000 },
  );
  assert.ok(matched > 20, `only ${matched} of the generated pairs matched`);
});

test("law: a value matches itself, and what it is the beginning or end of", () => {
  const plain = fc.string({ maxLength: 20 }).filter((text) => !text.includes("*"));
  fc.assert(
    fc.property(plain, plain, (part, rest) => {
      assert.ok(compileStringMatch(part)(part));
      fc.pre(part !== "");
      assert.ok(compileStringMatch(`${part}*`)(part + rest));
      assert.ok(compileStringMatch(`*${part}`)(rest + part));
    }),
  );
});
