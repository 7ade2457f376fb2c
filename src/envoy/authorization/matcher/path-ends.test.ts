import assert from "node:assert/strict";
import { test } from "node:test";
import { Dice } from "../../../../test/kit/dice.ts";
import { judgeByMatcher } from "../../../../test/kit/judge-by-matcher.ts";
import { PLAIN_CONNECTION, PLAIN_REQUEST } from "../../../../test/kit/traffic-facts.ts";
import { type Case, decide, firstOf } from "./match-tree.ts";
import { casesByEnd } from "./path-ends.ts";
import { text } from "./predicate.ts";
import { PATH_INPUT } from "./text-predicates.ts";

/** Two of them are halves alike. */
const CHARACTERS = ["/", "a", "b", ".", "\u{1d4b3}", "\u{1d4b4}"];

function ended(ends: readonly string[]): readonly Case[] {
  const cases = ends.map((end): [string, readonly Case[]] => [
    end,
    [{ when: text(PATH_INPUT, { suffix: end }), outcome: decide(end, "ALLOW") }],
  ]);
  return casesByEnd(new Map(cases), PATH_INPUT);
}

function isFound(cases: readonly Case[], path: string): boolean {
  const tree = firstOf(cases);
  assert.ok(tree !== undefined && "matcher" in tree);
  const facts = { connection: PLAIN_CONNECTION, request: { ...PLAIN_REQUEST, path } };
  return judgeByMatcher(tree.matcher, facts) !== undefined;
}

test("law: a rule is found exactly by the paths that have its end", () => {
  const dice = new Dice(11);
  const word = (most: number): string =>
    dice.several(1, most, () => dice.pick(CHARACTERS)).join("");
  let found = 0;
  for (let world = 0; world < 200; world++) {
    const ends = [...new Set(dice.several(1, 40, () => word(5)))];
    const cases = ended(ends);
    for (let question = 0; question < 30; question++) {
      const path = `/${word(3)}${dice.chance(0.5) ? dice.pick(ends) : word(5)}`;
      const expected = ends.some((end) => path.endsWith(end));
      assert.equal(isFound(cases, path), expected, JSON.stringify({ ends, path }));
      if (expected) found++;
    }
  }
  assert.ok(found > 1_000 && found < 5_500, `${found} of 6000 are found: too few of one kind`);
});

test("many ends that begin alike are one question to a path that has none of them", () => {
  const files = Array.from({ length: 60 }, (_, index) => `/file-${index}.json`);
  assert.deepEqual(
    ended(files).map(({ when }) => when),
    [text(PATH_INPUT, { contains: "/file-" })],
  );
});

test("a text that is sent has no half of a character", () => {
  const ends = ["3", "4", "5", "6", "7"].map(
    (digit) => `/${String.fromCodePoint(0x1d4b0 + Number(digit))}`,
  );
  assert.doesNotMatch(JSON.stringify(ended([...ends, "/ab", "/ac"])), /\\ud[89ab]/);
});
