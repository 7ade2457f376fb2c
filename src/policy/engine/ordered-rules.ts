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

interface NamedRule {
  readonly id: string;
  readonly rule: CompiledRule;
}

/** Beyond, all is compiled anew: of policies that went, too, what they said would be held. */
const MAX_CONDITIONS = 50_000;

/**
 * Rules of policies that are the same objects as before are compiled once, so that a change of one policy costs the compiling of
 * one. By whom is trusted, and as long as they are.
 */
class KnownRules {
  readonly #context: RulesContext;
  #conditions: KnownConditions = new Map();
  #rules: WeakMap<AppliedPolicy, readonly NamedRule[]> = new WeakMap();

  constructor(context: RulesContext) {
    this.#context = context;
  }

  rulesOf(policies: readonly AppliedPolicy[]): NamedRule[] {
    if (this.#conditions.size > MAX_CONDITIONS) {
      this.#conditions = new Map();
      this.#rules = new WeakMap();
    }
    return policies.flatMap((policy) => this.#rulesOf(policy));
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
