/** Many rules of one caller, found by the beginnings and ends of paths instead of being asked in turn. */
import type { Demand, RuleDemands } from "../rule-demands.ts";
import { type ChainKind, demandPredicate } from "./demand-predicate.ts";
import { byPrefix, type Case, firstOf, type OnMatch } from "./match-tree.ts";
import { casesByEnd } from "./path-ends.ts";
import { allOf, anyOf, type Predicate } from "./predicate.ts";
import { isWholePrefix, PATH_INPUT, pathEnd, pathPrefix } from "./text-predicates.ts";

/** A rule, of which one part is already a statement. */
export interface OpenRule {
  readonly rule: Pick<RuleDemands, "id" | "to">;
  /** What is left of what it demands beside its operations. */
  readonly who: Predicate;
  readonly outcome: OnMatch;
}

/** So few are asked in turn: a search would cost as much. */
const ASKED_IN_TURN = 16;

/**
 * @param rules in the order in which they are asked; all do the same, so that any that matches may decide
 * @param indexed whether many of them are found by their paths
 */
export function openRules(
  rules: readonly OpenRule[],
  kind: ChainKind,
  { indexed, otherwise }: { readonly indexed: boolean; readonly otherwise?: OnMatch },
): OnMatch | undefined {
  const possible = rules.filter(({ who }) => who !== false);
  return indexed && possible.length > ASKED_IN_TURN
    ? rulesByPath(possible, kind, otherwise)
    : firstOf(
        possible.map((rule) => caseOf(rule, kind)),
        otherwise,
      );
}

function caseOf({ rule, who, outcome }: OpenRule, kind: ChainKind): Case {
  const operations = rule.to.map((operation) =>
    allOf(operation.map((demand) => demandPredicate(demand, kind))),
  );
  return { when: allOf([who, rule.to.length === 0 || anyOf(operations)]), outcome };
}

function rulesByPath(
  rules: readonly OpenRule[],
  kind: ChainKind,
  otherwise: OnMatch | undefined,
): OnMatch | undefined {
  const begun = new Map<string, OpenRule[]>();
  const ended = new Map<string, OpenRule[]>();
  const unplaced: OpenRule[] = [];
  for (const open of rules) {
    if (open.rule.to.length === 0) unplaced.push(open);
    for (const operation of open.rule.to) {
      for (const { prefix, end, part } of placesOf(operation)) {
        const narrowed = { ...open, rule: { id: open.rule.id, to: [part] } };
        if (prefix !== undefined) place(begun, prefix, narrowed);
        else if (end !== undefined) place(ended, end, narrowed);
        else unplaced.push(narrowed);
      }
    }
  }
  const cases = (found: readonly OpenRule[]): readonly Case[] =>
    found.map((rule) => caseOf(rule, kind));
  const branches = new Map<string, OnMatch>();
  for (const [prefix, found] of begun) {
    const branch = firstOf(cases(found));
    if (branch !== undefined) branches.set(prefix, branch);
  }
  const byEnd = new Map([...ended].map(([end, found]) => [end, cases(found)] as const));
  const rest = firstOf([...cases(unplaced), ...casesByEnd(byEnd, PATH_INPUT)], otherwise);
  return byPrefix(PATH_INPUT, branches, rest);
}

function place(placed: Map<string, OpenRule[]>, text: string, rule: OpenRule): void {
  const there = placed.get(text);
  if (there === undefined) placed.set(text, [rule]);
  else there.push(rule);
}

interface Place {
  /** With which all paths begin that are meant. */
  readonly prefix?: string | undefined;
  /** Which is in all of them, where they have no common beginning. */
  readonly end?: string | undefined;
  /** What is to be asked there. */
  readonly part: readonly Demand[];
}

/** An operation, once for each beginning, or end, of the paths that it names. */
function placesOf(operation: readonly Demand[]): readonly Place[] {
  const paths = operation.find(({ subject, wants }) => subject.about === "path" && wants === "one");
  if (paths === undefined) return [{ part: operation }];
  const others = operation.filter((demand) => demand !== paths);
  const byPlace = new Map<string, { readonly place: Omit<Place, "part">; values: string[] }>();
  for (const value of paths.values) {
    const prefix = pathPrefix(value);
    const place = prefix === undefined ? { end: pathEnd(value) } : { prefix };
    const key = JSON.stringify(place);
    byPlace.set(key, { place, values: [...(byPlace.get(key)?.values ?? []), value] });
  }
  return [...byPlace.values()].map(({ place, values }) => ({
    ...place,
    part: values.some(isWholePrefix) ? others : [...others, { ...paths, values }],
  }));
}
