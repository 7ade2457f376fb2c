/** Turns a rule of a policy into matchers that can say what they demanded and what they got. */
import {
  type AuthorizationAction,
  type AuthorizationCondition,
  type AuthorizationOperation,
  type AuthorizationRule,
  type AuthorizationSource,
  OPERATION_FIELDS,
  SOURCE_FIELDS,
} from "../api/authorization-policy.ts";
import type { RuleRef } from "./decision.ts";
import {
  conditionAttribute,
  OPERATION_RULE_FIELDS,
  type RuleField,
  SOURCE_RULE_FIELDS,
} from "./rule-field.ts";
import type { TextPattern } from "./text-lookup.ts";
import type { PolicyContext, Traffic, TrafficAttribute } from "./traffic-attribute.ts";

/** How a connection's bytes are read where the rule is judged. */
export type TrafficProtocol = "http" | "tcp";

/** One demand of a rule. */
export interface CompiledCondition {
  /** As in the resource: `to.operation.methods`, `when request.headers[x]`. */
  readonly field: string;
  /** The values as written. */
  readonly expected: string;
  /** What is asked about; absent where nothing can be asked. */
  readonly attribute?: TrafficAttribute;
  /** Under which the rule can be found; absent where it has to be tried. */
  readonly patterns?: readonly TextPattern[];
  matches(traffic: Traffic): boolean;
  /** What the traffic carries; "nothing" when absent. */
  got(traffic: Traffic): string;
}

/** (one of `from`) and (one of `to`) and all of `when`; an empty list demands nothing (AP-30, AP-31). */
export interface CompiledRule {
  readonly ref: RuleRef;
  readonly from: readonly (readonly CompiledCondition[])[];
  readonly to: readonly (readonly CompiledCondition[])[];
  readonly when: readonly CompiledCondition[];
}

export interface RuleContext extends Omit<PolicyContext, "matching"> {
  readonly protocol: TrafficProtocol;
  readonly action: AuthorizationAction;
  /** Rules of one action say the same again and again: what is compiled once is shared, and stays in the CPU's cache. */
  readonly known?: KnownConditions;
}

/** Compiled conditions of one action, protocol and trust, by what was written where. */
export type KnownConditions = Map<string, [Part]>;

/** A condition that cannot be asked: HTTP on a TCP port, or a value that cannot be read. */
interface Unusable {
  readonly field: string;
  readonly expected: string;
  readonly problem: string;
}
type Part = CompiledCondition | Unusable;

/** How much of a long list, or of a long value from a stranger, is repeated in logs and explanations. */
const MAX_VALUES_TOLD = 5;
const MAX_CHARACTERS_TOLD = 200;
const MAX_VALUES_SHARED = 4;

/**
 * Compiles one rule. A condition that cannot be asked makes an ALLOW rule match nothing, and is left out of any other
 * rule, which then matches more: both ways fail closed (AP-36, AP-61, AP-62; for unknown keys also AP-37).
 */
export function compileRule(
  rule: AuthorizationRule,
  { ref, ...context }: RuleContext & { readonly ref: RuleRef },
): CompiledRule {
  const from = rule.from.map((source) => compileSource(source, context));
  const to = rule.to.map((operation) => compileOperation(operation, context));
  const when = rule.when.flatMap((condition) => compileWhen(condition, context));
  const unusable = [...from.flat(), ...to.flat(), ...when].filter(isUnusable);
  return {
    ref,
    from: from.map((parts) => parts.filter(isUsable)),
    to: to.map((parts) => parts.filter(isUsable)),
    when: [...when.filter(isUsable), ...(context.action === "ALLOW" ? unusable.map(neverMet) : [])],
  };
}

export function matchesRule({ from, to, when }: CompiledRule, traffic: Traffic): boolean {
  return allMatch(when, traffic) && someAlternative(from, traffic) && someAlternative(to, traffic);
}

function allMatch(conditions: readonly CompiledCondition[], traffic: Traffic): boolean {
  for (const condition of conditions) if (!condition.matches(traffic)) return false;
  return true;
}

function someAlternative(
  alternatives: readonly (readonly CompiledCondition[])[],
  traffic: Traffic,
): boolean {
  if (alternatives.length === 0) return true;
  for (const conditions of alternatives) if (allMatch(conditions, traffic)) return true;
  return false;
}

function compileSource(source: AuthorizationSource, context: RuleContext): Part[] {
  const parts: Part[] = [];
  for (const name of SOURCE_FIELDS) {
    const values = source[name];
    if (values === undefined) continue;
    const field = `from.source.${name}`;
    parts.push(...compilePart({ ...SOURCE_RULE_FIELDS[name], field, values }, context));
  }
  return parts;
}

function compileOperation(operation: AuthorizationOperation, context: RuleContext): Part[] {
  const parts: Part[] = [];
  for (const name of OPERATION_FIELDS) {
    const values = operation[name];
    if (values === undefined) continue;
    const field = `to.operation.${name}`;
    parts.push(...compilePart({ ...OPERATION_RULE_FIELDS[name], field, values }, context));
  }
  return parts;
}

function compileWhen(
  { key, values, notValues }: AuthorizationCondition,
  context: RuleContext,
): Part[] {
  const field = `when ${key}`;
  const attribute = conditionAttribute(key);
  if (attribute === undefined) {
    return [{ field, expected: tellValues(values), problem: "a key that is not known" }];
  }
  return [
    ...compilePart({ attribute, demands: "one", field, values }, context),
    ...compilePart({ attribute, demands: "none", field, values: notValues }, context),
  ];
}

interface WrittenField extends RuleField {
  readonly field: string;
  readonly values: readonly string[];
}

/** @returns one part, or none for a list without values */
function compilePart(written: WrittenField, context: RuleContext): [] | [Part] {
  const { demands, field, values } = written;
  if (values.length === 0) return [];
  if (context.known === undefined || values.length > MAX_VALUES_SHARED) {
    return compileNewPart(written, context);
  }
  const namespace = written.attribute.origin === "peer" ? context.namespace : "";
  const key = JSON.stringify([namespace, field, demands, values]);
  const known = context.known.get(key);
  if (known !== undefined) return known;
  const compiled = compileNewPart(written, context);
  context.known.set(key, compiled);
  return compiled;
}

function compileNewPart(
  { attribute: asked, demands, field, values }: WrittenField,
  context: RuleContext,
): [Part] {
  const matching = matchingOf({ action: context.action, demands });
  const attribute = matching === "keeps-out" ? (asked.keepingOut ?? asked) : asked;
  const expected = tellExpected(attribute, { demands, values });
  if (attribute.layer === "http" && context.protocol === "tcp") {
    return [{ field, expected, problem: "no HTTP, as the port is carried as TCP" }];
  }
  // Authorizers are asked before tokens are verified (AP-3).
  const unseen = attribute.origin === "token" && context.action === "CUSTOM";
  const matchesOne = attribute.compile(values, { ...context, matching });
  if (matchesOne === undefined) {
    return [{ field, expected, problem: "a value in the policy that cannot be read" }];
  }
  const matches = compileDemand(demands, unseen ? () => false : matchesOne);
  const patterns =
    demands === "one" && !unseen
      ? attribute.lookup?.patterns(values, { ...context, matching })
      : undefined;
  return [
    {
      field,
      expected,
      attribute,
      ...(patterns && { patterns }),
      matches,
      got: (traffic) => tellGot(attribute, traffic),
    },
  ];
}

function compileDemand(
  demands: RuleField["demands"],
  matchesOne: CompiledCondition["matches"],
): CompiledCondition["matches"] {
  return demands === "one" ? matchesOne : (traffic) => !matchesOne(traffic);
}

/** A value of a `not…` field keeps out where the rule lets in, and the other way round. */
function matchingOf({
  action,
  demands,
}: Pick<RuleContext, "action"> & Pick<RuleField, "demands">): PolicyContext["matching"] {
  return (action === "ALLOW") === (demands === "one") ? "lets-in" : "keeps-out";
}

function isUnusable(part: Part): part is Unusable {
  return "problem" in part;
}

function isUsable(part: Part): part is CompiledCondition {
  return !isUnusable(part);
}

function neverMet({ field, expected, problem }: Unusable): CompiledCondition {
  return { field, expected, matches: () => false, got: () => problem };
}

function tellExpected(
  { shown }: TrafficAttribute,
  { demands, values }: Pick<RuleField, "demands"> & { readonly values: readonly string[] },
): string {
  const told = shown === "secret" ? "a secret value" : tellValues(values);
  return demands === "one" ? told : `anything but ${told}`;
}

function tellValues(values: readonly string[]): string {
  const told = values.slice(0, MAX_VALUES_TOLD).map(clip).join(", ");
  const more = values.length - MAX_VALUES_TOLD;
  return more > 0 ? `${told} and ${more} more` : told;
}

function tellGot(attribute: TrafficAttribute, traffic: Traffic): string {
  const value = attribute.read(traffic);
  if (value === undefined) return "nothing";
  if (attribute.shown !== "shown") return "another value";
  return value === "" ? "an empty value" : clip(value);
}

function clip(text: string): string {
  return text.length <= MAX_CHARACTERS_TOLD ? text : `${text.slice(0, MAX_CHARACTERS_TOLD)}…`;
}
