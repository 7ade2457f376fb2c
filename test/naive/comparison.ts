/** Puts the same questions to the engine and to the interpreter, and finds where they disagree. */
import { isDeepStrictEqual } from "node:util";
import type { EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import { compiledEngine, type OwnTrustDomains } from "../kit/compiled-engine.ts";
import { Dice } from "../kit/dice.ts";
import { generatePolicies, generateTrust } from "../kit/policy-generator.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import { changeOneFact, generateTraffic } from "../kit/traffic-generator.ts";
import type { Coverage } from "./coverage.ts";
import { asNaive } from "./engine-decision.ts";
import { interpret, type NaiveDecision } from "./interpret.ts";
import { trafficOf } from "./traffic-of-facts.ts";

/** One question, whoever is asked. */
export interface Dispute {
  readonly policies: EffectiveAuthorization;
  readonly trust: OwnTrustDomains;
  readonly facts: TrafficFacts;
}

export interface ComparisonOptions {
  readonly pairs: number;
  readonly seed: number;
  readonly coverage: Coverage;
  /** Called with every disagreement. */
  readonly onDispute: (dispute: Dispute) => void;
  readonly onProgress?: (pairs: number) => void;
}

/** Requests to each set of policies. */
const QUESTIONS = 60;
const WITNESSES = 3;

/** @returns how many pairs were compared: `pairs`, or a few more */
export function compare({ pairs, seed, coverage, ...report }: ComparisonOptions): number {
  const dice = new Dice(seed);
  let compared = 0;
  while (compared < pairs) {
    const witnesses = Array.from({ length: WITNESSES }, () => generateTraffic(dice));
    const policies = inOrder(generatePolicies(dice, witnesses, "any"));
    const trust = generateTrust(dice);
    const ask = compiledEngine(policies, trust);
    for (let question = 0; question < QUESTIONS; question += 1) {
      const facts = nextTraffic(dice, witnesses);
      const expected = interpret(policies, trafficOf(facts), { trust, observe: coverage.observe });
      coverage.count(facts.request === undefined ? "tcp" : "http", expected);
      if (!isDeepStrictEqual(asNaive(ask(facts)), expected))
        report.onDispute({ policies, trust, facts });
    }
    compared += QUESTIONS;
    report.onProgress?.(compared);
  }
  return compared;
}

export function askInterpreter({ policies, trust, facts }: Dispute): NaiveDecision {
  return interpret(policies, trafficOf(facts), { trust });
}

export function askEngine({ policies, trust, facts }: Dispute): NaiveDecision {
  return asNaive(compiledEngine(policies, trust)(facts));
}

/** A third as it is, a third with one fact changed, a third at random. */
function nextTraffic(dice: Dice, witnesses: readonly TrafficFacts[]): TrafficFacts {
  const kind = dice.between(0, 2);
  if (kind === 0) return generateTraffic(dice);
  const witness = dice.pick(witnesses);
  return kind === 1 ? witness : changeOneFact(dice, witness);
}

/** As views carry them (AP-35). */
function inOrder(policies: EffectiveAuthorization): EffectiveAuthorization {
  const sorted = (list: EffectiveAuthorization["allow"]) =>
    list.toSorted((one, other) => (policyId(one.ref) < policyId(other.ref) ? -1 : 1));
  return {
    custom: sorted(policies.custom),
    audit: sorted(policies.audit),
    deny: sorted(policies.deny),
    allow: sorted(policies.allow),
  };
}

function policyId(ref: { readonly namespace: string; readonly name: string }): string {
  return `ns[${ref.namespace}]-policy[${ref.name}]`;
}
