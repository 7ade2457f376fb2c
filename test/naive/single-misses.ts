/** Requests that one rule of many conditions allows, and the same with one fact changed so that one condition fails. */
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy } from "../../src/policy/workload-view.ts";
import type { Dice } from "../kit/dice.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import { generateConnection, generateRequest } from "../kit/traffic-generator.ts";
import type { TrustDomains } from "./asked.ts";
import { ATTRIBUTE_KINDS, type AttributeKind } from "./attribute-kinds.ts";
import { ruleMatches } from "./rule.ts";
import { trafficOf } from "./traffic-of-facts.ts";

export type Form = "one of" | "none of";

export interface SingleMiss {
  readonly policy: AppliedPolicy;
  /** Which rule of the policy allowed it. */
  readonly rule: number;
  readonly allowed: TrafficFacts;
  readonly refused: TrafficFacts;
  /** What the changed fact no longer satisfies: `to.operation.notPaths`, `when source.ip`. */
  readonly field: string;
}

export const TRUST: TrustDomains = { trustDomain: "cluster.local", trustDomainAliases: ["old.td"] };
const REF = { kind: "AuthorizationPolicy", namespace: "default", name: "policy" };
const ATTEMPTS = 2_000;
const [LEAST_CONDITIONS, MOST_CONDITIONS] = [5, 9];
const MOST_OTHER_RULES = 4;
const THROWS = 6;

/** @throws Error if chance gives none */
export function generateSingleMiss(dice: Dice, kind: AttributeKind, form: Form): SingleMiss {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const miss = trySingleMiss(dice, { kind, form });
    if (miss !== undefined) return miss;
  }
  throw new Error(`no single miss of ${fieldName(kind, form)} in ${ATTEMPTS} attempts`);
}

interface Wish {
  readonly kind: AttributeKind;
  readonly form: Form;
}

function trySingleMiss(dice: Dice, wish: Wish): SingleMiss | undefined {
  const { allowed, stranger } = { allowed: witness(dice), stranger: witness(dice) };
  const refused = wish.kind.fact(allowed, stranger);
  const field = fieldName(wish.kind, wish.form);
  const wishes = [wish, ...companions(dice, wish)];
  const rule = ruleOf(wishes.map((one) => satisfied(dice, one, { allowed, refused })));
  if (unmetFields(rule, allowed).length > 0) return undefined;
  const unmet = unmetFields(rule, refused);
  if (unmet.length !== 1 || unmet[0] !== field) return undefined;
  const others = dice
    .several(0, MOST_OTHER_RULES, () => strangersRule(dice))
    .filter((other) => unmetFields(other, refused).length > 1 && !matches(other, allowed));
  const index = dice.between(0, others.length);
  const rules = others.toSpliced(index, 0, rule);
  const source = { file: "policy.yaml", line: 1 };
  return {
    policy: { ref: REF, source, action: "ALLOW", rules },
    rule: index,
    allowed,
    refused,
    field,
  };
}

/** A request that carries everything. */
function witness(dice: Dice): TrafficFacts {
  for (;;) {
    const [connection, request] = [generateConnection(dice), generateRequest(dice)];
    const isWhole = connection.principal !== undefined && request.token !== undefined;
    if (isWhole && request.path !== undefined) return { connection, request };
  }
}

function companions(dice: Dice, { kind }: Wish): readonly Wish[] {
  const chosen: AttributeKind[] = [kind];
  const count = dice.between(LEAST_CONDITIONS, MOST_CONDITIONS);
  for (const other of dice.shuffled(ATTRIBUTE_KINDS)) {
    if (chosen.length < count && !chosen.some(({ fact }) => fact === other.fact))
      chosen.push(other);
  }
  return chosen.slice(1).map((other) => {
    return { kind: other, form: dice.chance(0.8) ? "one of" : "none of" };
  });
}

/** A rule of the same shape for other callers: it is farther away. */
function strangersRule(dice: Dice): AuthorizationRule {
  const [kind, facts] = [dice.pick(ATTRIBUTE_KINDS), witness(dice)];
  const wish: Wish = { kind, form: "one of" };
  const wishes = [wish, ...companions(dice, wish)];
  return ruleOf(wishes.map((one) => conditionOf(dice, one, { allowed: facts, refused: facts })));
}

interface Neighbours {
  /** "one of" is near to this. */
  readonly allowed: TrafficFacts;
  /** "none of" is near to this. */
  readonly refused: TrafficFacts;
}

interface MadeCondition extends Wish {
  readonly values: readonly string[];
}

function conditionOf(dice: Dice, { kind, form }: Wish, near: Neighbours): MadeCondition {
  const facts = form === "one of" ? near.allowed : near.refused;
  return { kind, form, values: dice.several(1, 2, () => kind.value(dice, facts)) };
}

/** One that the allowed request satisfies, if a few throws give one. */
function satisfied(dice: Dice, wish: Wish, near: Neighbours): MadeCondition {
  const throws = Array.from({ length: THROWS }, () => conditionOf(dice, wish, near));
  const good = throws.find((made) => matches(ruleOf([made]), near.allowed));
  return good ?? conditionOf(dice, wish, near);
}

function ruleOf(made: readonly MadeCondition[]): AuthorizationRule {
  const fields = (part: AttributeKind["part"]): Record<string, readonly string[]> =>
    Object.fromEntries(
      made
        .filter(({ kind }) => kind.part === part)
        .map(({ kind, form, values }) => [formName(kind.field, form), values]),
    );
  const [from, to] = [fields("from"), fields("to")];
  return {
    line: 1,
    from: Object.keys(from).length === 0 ? [] : [from],
    to: Object.keys(to).length === 0 ? [] : [to],
    when: made
      .filter(({ kind }) => kind.part === "when")
      .map(({ kind, form, values }) => ({
        key: kind.field,
        values: form === "one of" ? values : [],
        notValues: form === "one of" ? [] : values,
      })),
  };
}

function formName(field: string, form: Form): string {
  return form === "one of" ? field : `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}

export function fieldName({ part, field }: AttributeKind, form: Form): string {
  if (part === "when") return `when ${field}`;
  return `${part === "from" ? "from.source" : "to.operation"}.${formName(field, form)}`;
}

const contextOf = (facts: TrafficFacts) =>
  ({
    traffic: trafficOf(facts),
    trust: TRUST,
    action: "ALLOW",
    policyNamespace: REF.namespace,
  }) as const;

function matches(rule: AuthorizationRule, facts: TrafficFacts): boolean {
  return ruleMatches(rule, contextOf(facts));
}

function unmetFields(rule: AuthorizationRule, facts: TrafficFacts): readonly string[] {
  const unmet: string[] = [];
  const observe = (field: string, answer: boolean | "untranslatable"): void => {
    if (answer !== true) unmet.push(asWritten(field));
  };
  ruleMatches(rule, { ...contextOf(facts), observe });
  return unmet;
}

/** `not to.operation.paths` is written `to.operation.notPaths`. */
function asWritten(field: string): string {
  if (!field.startsWith("not ") || field.startsWith("not when ")) return field.replace(/^not /, "");
  const [part, member, name = ""] = field.slice("not ".length).split(".");
  return `${part}.${member}.${formName(name, "none of")}`;
}
