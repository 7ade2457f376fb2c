import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { linearPattern } from "./linear-pattern.ts";

function matches(pattern: string, text: string): boolean | undefined {
  const compiled = linearPattern(pattern);
  assert.ok(typeof compiled !== "string", `${pattern} ${String(compiled)}`);
  return compiled(text);
}

const cases: [pattern: string, text: string, matches: boolean][] = [
  ["", "", true],
  ["b", "abc", true],
  ["^b", "abc", false],
  ["^/api/v[0-9]+/.*$", "/api/v12/orders", true],
  ["^/api/v[0-9]+/.*$", "/api/v/orders", false],
  ["^(?:GET|POST)$", "POST", true],
  ["^(?P<verb>GET|POST)$", "PUT", false],
  ["(?i)^curl/", "CuRL/8", true],
  ["^(?i:a)b$", "AB", false],
  ["a.c", "a\nc", false],
  ["(?s)a.c", "a\nc", true],
  ["^a{2,3}$", "aaaa", false],
  ["^a{2,}$", "aaaa", true],
  ["^(ab){2}$", "abab", true],
  ["a{0}b", "b", true],
  [String.raw`^\d+\.\d+$`, "10.7", true],
  [String.raw`^\x41\x{1f600}$`, "A\u{1f600}", true],
  [String.raw`\bid\b`, "an id here", true],
  [String.raw`\bid\b`, "idea", false],
  [String.raw`\Aa\z`, "a", true],
  ["^[]a]+$", "a]", true],
  ["^[a-]+$", "a-", true],
  ["^[^a-c]$", "b", false],
  ["^[[:alpha:]_]+$", "a_B", true],
  ["^(a|b|)$", "", true],
  ["^a*?b+?$", "aab", true],
  ["(a*)*b", "aaaa", false],
];
for (const [pattern, text, expected] of cases) {
  test(`${pattern} ${expected ? "is" : "is not"} in ${JSON.stringify(text)}`, () => {
    assert.equal(matches(pattern, text), expected);
  });
}

const refused: [pattern: string, problem: RegExp][] = [
  ["(a", /\( too many/],
  ["a)", /\) too many/],
  ["[a", /\[ too many/],
  ["*a", /nothing before it/],
  ["a**", /repeats a repetition/],
  ["a{3,2}", /wrong way/],
  ["a{1001}", /too often/],
  ["(a{100}){100}", /too large/],
  ["a\\", /ends with a backslash/],
  [String.raw`\1`, /not known/],
  [String.raw`\pL`, /not known/],
  ["(?=a)", /not known/],
  ["[b-a]", /ends before it begins/],
  ["[[:nope:]]", /not known/],
  ["(".repeat(200), /nested too deeply/],
];
for (const [pattern, problem] of refused) {
  test(`${pattern.slice(0, 20)} is refused: ${problem.source}`, () => {
    assert.match(String(linearPattern(pattern)), problem);
  });
}

test("what keeps a backtracking engine busy for ever takes no time", () => {
  for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a*)*c$", "(.*)(.*)(.*)x$"]) {
    const begun = performance.now();
    assert.notEqual(matches(pattern, `${"a".repeat(5_000)}!`), true);
    // It would be busy for longer than the world is old.
    assert.ok(performance.now() - begun < 5_000, pattern);
  }
});

test("a text that would take too long has no answer", () => {
  assert.equal(matches("(?:a?){300}b", "a".repeat(5_000)), undefined);
});

const atoms = fc.constantFrom(
  "a",
  "b",
  ".",
  "[ab]",
  "[^a]",
  String.raw`\w`,
  String.raw`\b`,
  "^",
  "$",
  "(?:)",
);
const { patterns } = fc.letrec<{ patterns: string }>((tie) => ({
  patterns: fc.oneof(
    { maxDepth: 4 },
    atoms,
    fc.tuple(tie("patterns"), tie("patterns")).map(([one, other]) => `${one}${other}`),
    fc.tuple(tie("patterns"), tie("patterns")).map(([one, other]) => `(${one}|${other})`),
    fc
      .tuple(tie("patterns"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"))
      .map(([one, times]) => `(?:${one})${times}`),
  ),
}));

test("law: there is a match where JavaScript finds one", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", "b", "-", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      assert.equal(matches(pattern, text), new RegExp(pattern, "u").test(text));
    }),
    { numRuns: 3_000 },
  );
});
