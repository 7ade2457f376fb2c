/** Many rules of one caller, found by the beginnings of paths instead of being asked in turn. */
import type { Demand, RuleDemands } from "../rule-demands.ts";
import { type ChainKind, demandPredicate } from "./demand-predicate.ts";
import { byPrefix, type Case, firstOf, type OnMatch } from "./match-tree.ts";
import { allOf, anyOf, type Predicate } from "./predicate.ts";
import { PATH_INPUT, pathPrefix } from "./text-predicates.ts";

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
  const placed = new Map<string, OpenRule[]>();
  const unplaced: OpenRule[] = [];
  for (const open of rules) {
    if (open.rule.to.length === 0) unplaced.push(open);
    for (const operation of open.rule.to) {
      for (const { prefix, part } of placesOf(operation)) {
        const narrowed = { ...open, rule: { id: open.rule.id, to: [part] } };
        if (prefix === undefined) unplaced.push(narrowed);
        else place(placed, prefix, narrowed);
      }
    }
  }
  const branches = new Map<string, OnMatch>();
  for (const [prefix, found] of placed) {
    const branch = firstOf(found.map((rule) => caseOf(rule, kind)));
    if (branch !== undefined) branches.set(prefix, branch);
  }
  const rest = firstOf(
    unplaced.map((rule) => caseOf(rule, kind)),
    otherwise,
  );
  return byPrefix(PATH_INPUT, branches, rest);
}

function place(placed: Map<string, OpenRule[]>, prefix: string, rule: OpenRule): void {
  const there = placed.get(prefix);
  if (there === undefined) placed.set(prefix, [rule]);
  else there.push(rule);
}

interface Place {
  /** Absent: everywhere. */
  readonly prefix: string | undefined;
  readonly part: readonly Demand[];
}

/** An operation, once for each beginning of the paths that it names. */
function placesOf(operation: readonly Demand[]): readonly Place[] {
  const paths = operation.find(({ subject, wants }) => subject.about === "path" && wants === "one");
  if (paths === undefined) return [{ prefix: undefined, part: operation }];
  const byPlace = new Map<string | undefined, string[]>();
  for (const value of paths.values) {
    const prefix = pathPrefix(value);
    byPlace.set(prefix, [...(byPlace.get(prefix) ?? []), value]);
  }
  return [...byPlace].map(([prefix, values]) => ({
    prefix,
    part: operation.map((demand) => (demand === paths ? { ...demand, values } : demand)),
  }));
}
