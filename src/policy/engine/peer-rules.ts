/**
 * The rules of one action, narrowed once for each peer to those that its identity can match: for the requests of that
 * peer nothing about identity is asked again. What many peers share is indexed once.
 */
import type { CompiledCondition, CompiledRule } from "../authorization-rule.ts";
import type { Connection } from "../traffic.ts";
import type { Traffic } from "../traffic-attribute.ts";
import { type Candidate, candidatesOf } from "./candidate.ts";
import { NO_BITS, type PeerBits, setBits } from "./peer-bits.ts";
import { PeerGroups, type PeerPlace } from "./peer-groups.ts";
import { rareByTraffic } from "./place-candidates.ts";
import { buildRuleIndex, firstMatch, NO_RULE, type RuleIndex } from "./rule-index.ts";
import { type SharedCandidate, SharedRules } from "./shared-rules.ts";

/** What one peer can match. */
export interface BoundRules {
  readonly indexes: readonly RuleIndex[];
  /** Of the candidates that all peers share. */
  readonly bits: PeerBits;
  /** The other candidates. */
  readonly groups: readonly (readonly Candidate[])[];
  /** How many candidates are held for this peer alone. */
  readonly weight: number;
}

/** The same for all, so that it stays in the CPU's cache. */
const NOTHING: BoundRules = {
  indexes: [],
  bits: NO_BITS,
  groups: [],
  weight: 0,
};

/** Larger groups are not copied for each peer: they keep an index of their own. */
const MAX_COPIED = 128;
const MAX_REMEMBERED = 64;
/** So much memory takes a candidate that is held for one peer. */
const WORDS_OF_A_CANDIDATE = 16;
/** A rule with more combinations of alternatives is not taken apart. */
const MAX_TAKEN_APART = 64;

export class PeerRules {
  readonly rules: readonly CompiledRule[];
  /** Rules that every peer can match. */
  readonly #everybody: readonly Candidate[];
  /** Candidates of rules whose one question about identity is answered by where they stand. */
  readonly #settled = new PeerGroups<Candidate>();
  /** Rules that have to be tried with each peer. */
  readonly #open = new PeerGroups<OpenRule>();
  readonly #indexes = new Map<readonly Candidate[], RuleIndex>();
  readonly #remembered = new Map<string, Remembered>();
  /** Rules that are found by what traffic carries, whoever the peer is. */
  readonly #shared: SharedRules;
  #anyPeer: RuleIndex | undefined;

  /** @param rules in the order of evaluation */
  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    const alternatives = rules.map((rule, order) => sharedCandidates(order, rule));
    const isRare = rareByTraffic(alternatives.flat().map(({ candidate }) => candidate));
    const shared: SharedCandidate[] = [];
    const everybody: Candidate[] = [];
    for (const [order, rule] of rules.entries()) {
      const own = alternatives[order] ?? [];
      if (own.length > 0 && own.every(({ candidate }) => isRare(candidate))) shared.push(...own);
      else if (!asksForPeer(rule)) everybody.push(...candidatesOfRule(order, rule));
      else if (!this.#settle(order, rule)) this.#open.add(placesOf(rule), { order, rule });
    }
    this.#shared = new SharedRules(shared);
    this.#everybody = everybody;
  }

  ruleAt(order: number): CompiledRule | undefined {
    return order === NO_RULE ? undefined : this.rules[order];
  }

  bind(connection: Connection): BoundRules {
    const peer = { connection, remoteAddress: "" };
    const groups = this.#settled.of(peer);
    const survivors = this.#survivors(peer);
    const large = [this.#everybody, ...groups.filter(isLarge)].filter(({ length }) => length > 0);
    const own = groups.filter((group) => !isLarge(group)).flat();
    const indexes = large.map((group) => this.#indexOf(group));
    let alone = 0;
    if (isLarge(survivors)) {
      const shared = this.#remember(survivors);
      if (shared.bound++ === 0) alone = shared.candidates.length;
      indexes.push(shared.index);
      large.push(shared.candidates);
    } else own.push(...survivors.flatMap(({ candidates }) => candidates()));
    if (own.length > 0) indexes.unshift(buildRuleIndex(own));
    const bits = this.#shared.bitsOf(peer);
    if (this.#shared.index !== undefined && bits !== NO_BITS) indexes.unshift(this.#shared.index);
    if (indexes.length === 0) return NOTHING;
    const weight = own.length + alone + Math.ceil(bits.length / WORDS_OF_A_CANDIDATE);
    return { indexes, bits, groups: [own, ...large], weight };
  }

  /** The orders of all rules that the peer can match; some of them several times. */
  *ordersOf({ groups, bits }: BoundRules): Generator<number> {
    for (const group of groups) for (const { order } of group) yield order;
    for (const bit of setBits(bits)) {
      const candidate = this.#shared.candidates[bit];
      if (candidate !== undefined) yield candidate.order;
    }
  }

  /** Rules that would match if the caller were another one; built when first asked for. */
  whoeverCalls(): RuleIndex {
    this.#anyPeer ??= buildRuleIndex(
      this.rules.flatMap((rule, order) => candidatesOfRule(order, withoutPeer(rule))),
    );
    return this.#anyPeer;
  }

  #survivors(peer: Traffic): readonly Survivor[] {
    return [...new Set(this.#open.of(peer).flat())]
      .map((open) => survivorOf(open, peer))
      .filter((survivor) => survivor !== undefined);
  }

  /** Puts a rule where its alternatives say that they want to be, if they leave no other question about identity. */
  #settle(order: number, rule: CompiledRule): boolean {
    if (rule.when.some(isOfPeer)) return false;
    const alternatives = rule.from.map((conditions) => conditions.filter(isOfPeer));
    if (!alternatives.every(isSettled)) return false;
    for (const [index, [peerCondition]] of alternatives.entries()) {
      const left = [(rule.from[index] ?? []).filter((condition) => !isOfPeer(condition))];
      const candidates = candidatesOf(order, {
        left,
        right: orTrue(rule.to),
        when: rule.when,
      });
      const places = placesOfCondition(peerCondition);
      for (const candidate of candidates) this.#settled.add(places, candidate);
    }
    return true;
  }

  #indexOf(group: readonly Candidate[]): RuleIndex {
    const known = this.#indexes.get(group);
    if (known !== undefined) return known;
    const index = buildRuleIndex(group);
    this.#indexes.set(group, index);
    return index;
  }

  /** Many peers leave the same of many rules: then they share its index. */
  #remember(survivors: readonly Survivor[]): Remembered {
    const key = survivors.map(({ key: one }) => one).join();
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    const candidates = survivors.flatMap((survivor) => survivor.candidates());
    const remembered = { bound: 0, candidates, index: buildRuleIndex(candidates) };
    this.#remembered.set(key, remembered);
    return remembered;
  }
}

interface Remembered {
  /** How many peers have it; the first is taken to have it alone. */
  bound: number;
  readonly candidates: readonly Candidate[];
  readonly index: RuleIndex;
}

function isLarge(group: readonly unknown[]): boolean {
  return group.length > MAX_COPIED;
}

/** @returns the index in `rules` of the first that matches; NO_RULE when none does */
export function firstRule({ indexes, bits }: BoundRules, traffic: Traffic): number {
  const seeking = { traffic, bits };
  let first = NO_RULE;
  for (const index of indexes) first = firstMatch(index, seeking, first);
  return first;
}

/** Each alternative of the rule, with what it says of the caller apart; none where there are too many. */
function sharedCandidates(order: number, { from, to, when }: CompiledRule): SharedCandidate[] {
  if (from.length * to.length > MAX_TAKEN_APART) return [];
  const whenOfPeer = when.filter(isOfPeer);
  const others = when.filter((one) => !isOfPeer(one));
  return orTrue(from).flatMap((conditions) => {
    const ofPeer = [...conditions.filter(isOfPeer), ...whenOfPeer];
    const left = [conditions.filter((one) => !isOfPeer(one))];
    const places = placesOfCondition(ofPeer.find(({ patterns }) => patterns !== undefined));
    const settled = isSettled(ofPeer);
    return candidatesOf(order, { left, right: orTrue(to), when: others }).map((candidate) => ({
      candidate,
      ofPeer,
      places,
      settled,
    }));
  });
}

interface OpenRule {
  readonly order: number;
  readonly rule: CompiledRule;
}

/** What is left of a rule for one peer. */
interface Survivor {
  /** The same for peers of whom the same is left. */
  readonly key: string;
  readonly candidates: () => readonly Candidate[];
}

function survivorOf({ order, rule }: OpenRule, peer: Traffic): Survivor | undefined {
  const when = rest(rule.when, peer);
  if (when === undefined) return undefined;
  const from = rule.from.map((conditions) => rest(conditions, peer));
  const left = from.filter((conditions) => conditions !== undefined);
  if (left.length === 0 && from.length > 0) return undefined;
  const kept = from.map((conditions) => (conditions === undefined ? 0 : 1)).join("");
  return {
    key: `${order}:${kept}`,
    candidates: () => candidatesOf(order, { left: orTrue(left), right: orTrue(rule.to), when }),
  };
}

/** What is still to be asked once the peer is known; undefined when the peer is not meant. */
function rest(
  conditions: readonly CompiledCondition[],
  peer: Traffic,
): readonly CompiledCondition[] | undefined {
  for (const condition of conditions) {
    if (isOfPeer(condition) && !condition.matches(peer)) return undefined;
  }
  return conditions.filter((condition) => !isOfPeer(condition));
}

function candidatesOfRule(order: number, { from, to, when }: CompiledRule): readonly Candidate[] {
  return candidatesOf(order, { left: orTrue(from), right: orTrue(to), when });
}

function withoutPeer({ ref, from, to, when }: CompiledRule): CompiledRule {
  const others = (conditions: readonly CompiledCondition[]): readonly CompiledCondition[] =>
    conditions.filter((condition) => !isOfPeer(condition));
  return { ref, from: from.map(others), to, when: others(when) };
}

/** No alternative at all demands nothing (AP-30). */
function orTrue<T>(alternatives: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return alternatives.length === 0 ? [[]] : alternatives;
}

function asksForPeer({ from, when }: CompiledRule): boolean {
  return when.some(isOfPeer) || from.some((conditions) => conditions.some(isOfPeer));
}

function isOfPeer({ attribute }: CompiledCondition): boolean {
  return attribute?.origin === "peer";
}

function isSettled(ofPeer: readonly CompiledCondition[]): boolean {
  const [only, ...others] = ofPeer;
  if (only?.patterns === undefined || others.length > 0) return false;
  return only.patterns.every(({ proof }) => proof === "sure");
}

/** Where a rule must stand so that no peer it means misses it; undefined: everywhere. */
function placesOf({ from, when }: CompiledRule): readonly PeerPlace[] | undefined {
  const demanded = when.find(({ patterns, attribute }) => patterns && attribute?.origin === "peer");
  if (demanded !== undefined) return placesOfCondition(demanded);
  const places = from.map((conditions) =>
    placesOfCondition(conditions.find((one) => isOfPeer(one) && one.patterns !== undefined)),
  );
  const known = places.filter((some) => some !== undefined);
  return from.length === 0 || known.length < places.length ? undefined : known.flat();
}

function placesOfCondition(
  condition: CompiledCondition | undefined,
): readonly PeerPlace[] | undefined {
  const { attribute, patterns } = condition ?? {};
  const lookup = attribute?.lookup;
  if (lookup === undefined || patterns === undefined) return undefined;
  return patterns.map((pattern) => ({ ...pattern, lookup }));
}
