/**
 * The rules of one action as a tree: asked in turn, or found by who calls. What is found under an identity is asked
 * first, then what is found under its namespace, then the rest; all do the same, so that any that matches may decide.
 */
import type { Demand, RuleDemands } from "../rule-demands.ts";
import { quoteRegex, regex } from "../string-matchers.ts";
import { type ChainKind, demandPredicate } from "./demand-predicate.ts";
import { PEER_URI } from "./inputs.ts";
import { metByIdentity } from "./known-peer.ts";
import {
  byExactText,
  byPrefix,
  decide,
  firstOf,
  type OnMatch,
  type Verdict,
} from "./match-tree.ts";
import { type OpenRule, openRules } from "./path-index.ts";
import { type Domains, peerPlaces } from "./peer-places.ts";
import { allOf, anyOf, not, type Predicate, text } from "./predicate.ts";

export interface TreeOptions {
  readonly verdict: Verdict;
  readonly kind: ChainKind;
  readonly domains: Domains;
  readonly indexed: boolean;
  /** Where no rule matches. */
  readonly otherwise?: OnMatch;
}

/** @returns undefined where no rule can match, and there is nothing to do otherwise */
export function ruleTree(rules: readonly RuleDemands[], options: TreeOptions): OnMatch | undefined {
  const { kind, indexed, otherwise } = options;
  if (indexed && kind.peer === "mesh") return treeByPeer(rules, options);
  const open = rules.map((rule) => openRule(rule, callersOf(rule), options));
  return openRules(open, kind, { indexed, ...(otherwise && { otherwise }) });
}

/** One alternative of `from`, with what `when` says. */
type Caller = readonly Demand[];

function callersOf({ from, when }: RuleDemands): readonly Caller[] {
  return from.length === 0 ? [when] : from.map((source) => [...source, ...when]);
}

/** @param callers those of its callers that are meant here */
function openRule(
  rule: RuleDemands,
  callers: readonly Caller[],
  { kind, verdict }: Pick<TreeOptions, "kind" | "verdict">,
  known: Known = () => undefined,
): OpenRule {
  const who = callers.map((caller) =>
    allOf(caller.map((demand) => known(demand) ?? demandPredicate(demand, kind))),
  );
  return { rule, who: anyOf(who), outcome: decide(rule.id, verdict) };
}

type Known = (demand: Demand) => boolean | undefined;

function treeByPeer(rules: readonly RuleDemands[], options: TreeOptions): OnMatch | undefined {
  const { kind, domains, otherwise } = options;
  const places = placeRules(rules, domains);
  const opened = (callers: CallersOfRules, known?: Known): readonly OpenRule[] =>
    [...callers].map(([rule, meant]) => openRule(rule, meant, options, known));
  const exact = branches(places.exact, (callers, identity) =>
    openRules(
      opened(callers, (demand) => metByIdentity(demand, identity)),
      kind,
      { indexed: true },
    ),
  );
  const prefixes = branches(places.prefixes, (callers) =>
    openRules(opened(callers), kind, { indexed: true }),
  );
  const rest = openRules(opened(places.anywhere), kind, {
    indexed: true,
    ...(otherwise && { otherwise }),
  });
  const others = openRules(opened(places.ofOtherForm), kind, { indexed: false });
  const unindexed =
    others === undefined ? rest : firstOf([{ when: otherForm(domains), outcome: others }], rest);
  return byExactText(PEER_URI, exact, byPrefix(PEER_URI, prefixes, unindexed));
}

type CallersOfRules = Map<RuleDemands, Caller[]>;

/** Callers, by the rules that mean them, where they are found. */
interface Places {
  readonly exact: Map<string, CallersOfRules>;
  readonly prefixes: Map<string, CallersOfRules>;
  /** Under no identity. */
  readonly anywhere: CallersOfRules;
  /** Those found under identities that this mesh issues, for other identities that they mean too. */
  readonly ofOtherForm: CallersOfRules;
}

function placeRules(rules: readonly RuleDemands[], domains: Domains): Places {
  const places: Places = {
    exact: new Map(),
    prefixes: new Map(),
    anywhere: new Map(),
    ofOtherForm: new Map(),
  };
  for (const rule of rules) {
    for (const caller of callersOf(rule)) placeCaller(places, { rule, caller, domains });
  }
  return places;
}

function placeCaller(
  places: Places,
  {
    rule,
    caller,
    domains,
  }: { readonly rule: RuleDemands; readonly caller: Caller; readonly domains: Domains },
): void {
  const found = peerPlaces(caller, domains);
  if (found === undefined) {
    addTo(places.anywhere, rule, caller);
    return;
  }
  const rest = caller.filter((demand) => demand !== found.said);
  for (const key of new Set(found.exact)) addTo(placeOf(places.exact, key), rule, caller);
  for (const key of new Set(found.prefixes)) addTo(placeOf(places.prefixes, key), rule, rest);
  if (found.others) addTo(places.ofOtherForm, rule, caller);
}

function placeOf(places: Map<string, CallersOfRules>, key: string): CallersOfRules {
  const known = places.get(key);
  if (known !== undefined) return known;
  const place: CallersOfRules = new Map();
  places.set(key, place);
  return place;
}

function addTo(place: CallersOfRules, rule: RuleDemands, caller: Caller): void {
  const callers = place.get(rule);
  if (callers === undefined) place.set(rule, [caller]);
  else callers.push(caller);
}

function branches(
  places: ReadonlyMap<string, CallersOfRules>,
  branchOf: (callers: CallersOfRules, key: string) => OnMatch | undefined,
): ReadonlyMap<string, OnMatch> {
  const found = new Map<string, OnMatch>();
  for (const [key, callers] of places) {
    const branch = branchOf(callers, key);
    if (branch !== undefined) found.set(key, branch);
  }
  return found;
}

/** An identity that does not have the form, or in which `ns` is the name of a namespace and is followed by another. */
function otherForm({ trustDomain, trustDomainAliases }: Domains): Predicate {
  const ours = [trustDomain, ...trustDomainAliases].map(quoteRegex).join("|");
  return anyOf([
    not(text(PEER_URI, regex(`spiffe://(?:${ours})/ns/[^/]+/sa/[^/]+`))),
    text(PEER_URI, { contains: "/ns/ns/" }),
  ]);
}
