/**
 * Envoy's match trees (xds.type.matcher.v3.Matcher): where an inner one finds nothing, the outer one goes on, with what
 * stands after it, with shorter prefixes, or with what is done where nothing matches.
 */
import { typeUrl } from "../../envoy-json.ts";
import { type Input, type Predicate, predicateJson } from "./predicate.ts";

export type Verdict = "ALLOW" | "DENY";

/** xds.type.matcher.v3.Matcher.OnMatch */
export type OnMatch = { readonly action: object } | { readonly matcher: Matcher };

export interface Matcher {
  readonly matcherList?: { readonly matchers: readonly FieldMatcher[] };
  readonly matcherTree?: object;
  readonly onNoMatch?: OnMatch;
}

interface FieldMatcher {
  readonly predicate: object;
  readonly onMatch: OnMatch;
}

/** @param name told in logs as the policy that decided */
export function decide(name: string, verdict: Verdict): OnMatch {
  const typedConfig = {
    "@type": typeUrl("envoy.config.rbac.v3.Action"),
    name,
    // ALLOW is what Envoy takes where nothing is said.
    ...(verdict === "DENY" && { action: "DENY" }),
  };
  return { action: { name: "x", typedConfig } };
}

export interface Case {
  readonly when: Predicate;
  readonly outcome: OnMatch;
}

/** The first case that holds. @returns undefined where nothing is left to ask, and nothing to do otherwise */
export function firstOf(cases: readonly Case[], otherwise?: OnMatch): OnMatch | undefined {
  const certain = cases.findIndex(({ when }) => when === true);
  const last = cases[certain]?.outcome ?? otherwise;
  const open = (certain < 0 ? cases : cases.slice(0, certain)).filter(({ when }) => when !== false);
  if (open.length === 0) return last;
  const matchers = open.map(({ when, outcome }) => ({
    predicate: predicateJson(when),
    onMatch: outcome,
  }));
  return { matcher: { matcherList: { matchers }, ...(last && { onNoMatch: last }) } };
}

export type Branches = ReadonlyMap<string, OnMatch>;

/** Finds one branch by a text, and goes on where that finds nothing. */
export function byExactText(
  input: Input,
  branches: Branches,
  otherwise?: OnMatch,
): OnMatch | undefined {
  return byText({ input, kind: "exactMatchMap", branches }, otherwise);
}

/** Tries the branch with the longest prefix first, then shorter ones. */
export function byPrefix(
  input: Input,
  branches: Branches,
  otherwise?: OnMatch,
): OnMatch | undefined {
  return byText({ input, kind: "prefixMatchMap", branches }, otherwise);
}

function byText(
  {
    input,
    kind,
    branches,
  }: {
    readonly input: Input;
    readonly kind: "exactMatchMap" | "prefixMatchMap";
    readonly branches: Branches;
  },
  otherwise: OnMatch | undefined,
): OnMatch | undefined {
  if (branches.size === 0) return otherwise;
  const matcherTree = { input, [kind]: { map: Object.fromEntries(branches) } };
  return { matcher: { matcherTree, ...(otherwise && { onNoMatch: otherwise }) } };
}
