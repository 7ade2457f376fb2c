import assert from "node:assert/strict";
import { test } from "node:test";
import { regexpProblem } from "./go-regexp.ts";

const good = [
  ...["a", "a|b", "(a)", "(|a)", "(?:a)", "(?i-s:a)", "(?i)a", "a(?i)*", "(?P<n>a)", "(?<n>a)"],
  ...["a{2,3}", "a{2,}?", "a{,3}", "a{01}", "{", "a{1000}", "(a{10}){100}", "^*", "\\b+"],
  ...["[]a]", "[^]a]", "[a-]", "[\\d-z]", "[[:alpha:]]", "[[:foo]", "[[:^digit:]x]"],
  ...["\\pL", "\\p{Greek}", "\\P{^Lu}", "\\p{Letter}", "\\p{lu}", "\\x41", "\\x{10FFFF}", "\\07"],
  ...["\\12", "\\_", "\\-", "\\Qa*(\\E", "\\Q(", "é+", "\\A\\z"],
];
for (const pattern of good) {
  test(`${pattern} is a regular expression`, () => {
    assert.equal(regexpProblem(pattern), undefined);
  });
}

const bad: [pattern: string, problem: RegExp][] = [
  ["", /must not be empty/],
  ["a".repeat(1025), /longer than 1024 bytes/],
  ["é".repeat(513), /longer than 1024 bytes/],
  ["(", /"\(" without "\)"/],
  ["a)", /"\)" without "\("/],
  ["[", /"\[" without "\]"/],
  ["[]", /"\[" without "\]"/],
  ["*", /nothing before/],
  ["(*)", /nothing before/],
  ["a|+", /nothing before/],
  ["\\Q\\E*", /nothing before/],
  ["a**", /two repetitions/],
  ["a*??", /two repetitions/],
  ["a++", /two repetitions/],
  ["a{1001}", /too often/],
  ["a{3,2}", /too often/],
  ["(a{101}){10}", /too often/],
  ["(?=a)", /begins no group/],
  ["(?<!a)", /(begins no group|name of a group)/],
  ["(?>a)", /begins no group/],
  ["(?-)", /begins no group/],
  ["(?P<n>a)(?P<n>b)", /two groups/],
  ["(?P<>a)", /name of a group/],
  ["(a)\\1", /not an escape/],
  ["\\8", /not an escape/],
  ["\\Z", /not an escape/],
  ["\\E", /not an escape/],
  ["\\", /not an escape/],
  ["\\é", /not an escape/],
  ["\\x{110000}", /not an escape/],
  ["[\\b]", /not an escape/],
  ["[b-a]", /ends before it begins/],
  ["[a-\\d]", /not an escape/],
  ["[[:foo:]]", /not a class/],
  ["\\p{Nope}", /class of Unicode/],
  ["\\p{Grek}", /class of Unicode/],
  ["\\p", /class of Unicode/],
];
for (const [pattern, problem] of bad) {
  test(`${pattern.slice(0, 20)} is none`, () => {
    assert.match(regexpProblem(pattern) ?? "", problem);
  });
}
