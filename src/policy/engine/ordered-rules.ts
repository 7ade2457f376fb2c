/** The rules of several policies in the order in which they are asked (AP-8, AP-35). */
import type { AuthorizationAction } from "../../api/authorization-policy.ts";
import {
  type CompiledRule,
  compileRule,
  type KnownConditions,
  type TrafficProtocol,
} from "../authorization-rule.ts";
import { ruleId } from "../rule-id.ts";
import type { AppliedPolicy, Trust } from "../workload-view.ts";

export interface RulesContext {
  readonly protocol: TrafficProtocol;
  readonly trust: Trust;
  readonly action: AuthorizationAction;
}

export function orderedRules(
  policies: readonly AppliedPolicy[],
  context: RulesContext,
): readonly CompiledRule[] {
  const known = knownRules(context);
  return known
    .rulesOf(policies)
    .sort(({ id: a }, { id: b }) => (a < b ? -1 : 1))
    .map(({ rule }) => rule);
}

/**
 * The same rules beforehand, one policy at each step: `orderedRules` then finds them made. Whoever asks it in the midst has all of
 * them made at once, and nothing is decided by half of them.
 */
export function* rulesInSteps(
  policies: readonly AppliedPolicy[],
  context: RulesContext,
): Generator<undefined> {
  yield* knownRules(context).inSteps(policies);
}

interface NamedRule {
  readonly id: string;
  readonly rule: CompiledRule;
}

/** As many conditions are kept in any case. */
const LEAST_CONDITIONS = 1_000;

/**
 * Rules of policies that are the same objects as before are compiled once, so that a change of one policy costs the compiling of
 * one. By whom is trusted, and as long as they are.
 */
class KnownRules {
  readonly #context: RulesContext;
  #conditions: KnownConditions = new Map();
  /** With more, all is compiled anew: half of them at least are of policies that went. */
  #mostConditions: number = LEAST_CONDITIONS;
  #rules: WeakMap<AppliedPolicy, readonly NamedRule[]> = new WeakMap();

  constructor(context: RulesContext) {
    this.#context = context;
  }

  rulesOf(policies: readonly AppliedPolicy[]): NamedRule[] {
    for (const _step of this.inSteps(policies));
    return policies.flatMap((policy) => this.#rulesOf(policy));
  }

  *inSteps(policies: readonly AppliedPolicy[]): Generator<undefined> {
    const { size } = this.#conditions;
    const isTooMuch = size > this.#mostConditions && policies.some((one) => !this.#rules.has(one));
    const isAnew = size === 0 || isTooMuch; // not where all is compiled: that would undo what was done in steps
    if (isAnew) {
      this.#conditions = new Map();
      this.#rules = new WeakMap();
    }
    for (const policy of policies) {
      if (this.#rules.has(policy)) continue;
      this.#rulesOf(policy);
      yield;
    }
    // Of several sets of policies the largest counts, and not for ever.
    const needed = Math.max(this.#mostConditions / 2, 2 * this.#conditions.size);
    if (isAnew) this.#mostConditions = Math.max(LEAST_CONDITIONS, needed);
  }

  #rulesOf(policy: AppliedPolicy): readonly NamedRule[] {
    const known = this.#rules.get(policy);
    if (known !== undefined) return known;
    const { ref, source, rules } = policy;
    const context = { ...this.#context, namespace: ref.namespace, known: this.#conditions };
    const compiled = rules.map((rule, index) => {
      const of = { policy: ref, rule: index, source: { file: source.file, line: rule.line } };
      return { id: ruleId(of), rule: compileRule(rule, { ...context, ref: of }) };
    });
    this.#rules.set(policy, compiled);
    return compiled;
  }
}

const KNOWN: WeakMap<Trust, Map<string, KnownRules>> = new WeakMap();

function knownRules({ protocol, action, trust }: RulesContext): KnownRules {
  const ofTrust = KNOWN.get(trust) ?? new Map<string, KnownRules>();
  KNOWN.set(trust, ofTrust);
  const key = `${protocol} ${action}`;
  const known = ofTrust.get(key) ?? new KnownRules({ protocol, action, trust });
  ofTrust.set(key, known);
  return known;
}
