/**
 * Rules found by the ends of paths. Envoy has no index of ends, but where many of them begin alike, a path without that beginning
 * somewhere in it has none of them, and one question tells.
 */
import { type Case, firstOf } from "./match-tree.ts";
import { type Input, text } from "./predicate.ts";

/** So few are asked in turn. */
const ASKED_IN_TURN = 4;
/** Almost every path has one character or another. */
const LEAST_CHARACTERS = 2;

const HALF_A_CHARACTER = /[\ud800-\udbff]$/;

type Ended = readonly [end: string, cases: readonly Case[]];

/** @param byEnd each of which demands that its text is in the path, and may be asked in any order */
export function casesByEnd(
  byEnd: ReadonlyMap<string, readonly Case[]>,
  input: Input,
): readonly Case[] {
  const ends = [...byEnd].sort(([a], [b]) => (a < b ? -1 : 1));
  return casesBehind(ends, 0, input);
}

/** @param length of the text that all of them begin with */
function casesBehind(ends: readonly Ended[], length: number, input: Input): readonly Case[] {
  const all = ends.flatMap(([, cases]) => cases);
  if (all.length <= ASKED_IN_TURN) return all;
  return groupsBy(ends, length).flatMap((group) => gated(group, input));
}

function gated(group: readonly Ended[], input: Input): readonly Case[] {
  const common = commonBeginning(group);
  const cases =
    group.length === 1 ? group.flatMap(([, own]) => own) : casesBehind(group, common.length, input);
  if (common.length < LEAST_CHARACTERS || cases.length <= 1) return cases;
  const outcome = firstOf(cases);
  return outcome === undefined ? [] : [{ when: text(input, { contains: common }), outcome }];
}

/** By the character after what they have in common; in order, so that those of a group are neighbours. */
function groupsBy(ends: readonly Ended[], length: number): readonly (readonly Ended[])[] {
  const groups = new Map<number | undefined, Ended[]>();
  for (const ended of ends) {
    const character = ended[0].codePointAt(length);
    const group = groups.get(character);
    if (group === undefined) groups.set(character, [ended]);
    else group.push(ended);
  }
  return [...groups.values()];
}

function commonBeginning(group: readonly Ended[]): string {
  const [first = ""] = group[0] ?? [];
  const [last = ""] = group.at(-1) ?? [];
  let length = 0;
  while (length < first.length && first[length] === last[length]) length++;
  return first.slice(0, length).replace(HALF_A_CHARACTER, "");
}
