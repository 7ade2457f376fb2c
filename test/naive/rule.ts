/** Whether one rule matches (AP-30..AP-33), and what is left of it where a part cannot be translated (AP-36, AP-60..AP-62). */
import type { AuthorizationAction, AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { Question, Traffic, TrustDomains, Truth } from "./asked.ts";
import { questionOfKey } from "./condition-key.ts";
import { type FieldQuestion, OPERATION_QUESTIONS, SOURCE_QUESTIONS } from "./rule-questions.ts";

/** Told of every condition that is asked: `when request.headers[x]`, `from.source.notPrincipals`. */
export type Observe = (field: string, answer: Truth) => void;

export interface RuleContext {
  readonly traffic: Traffic;
  readonly trust: TrustDomains;
  readonly action: AuthorizationAction;
  readonly policyNamespace: string;
  readonly observe?: Observe;
}

export function ruleMatches(rule: AuthorizationRule, context: RuleContext): boolean {
  const from = rule.from.map((source) => fieldsHold(source, SOURCE_QUESTIONS, context));
  const to = rule.to.map((operation) => fieldsHold(operation, OPERATION_QUESTIONS, context));
  const when = rule.when.map(({ key, values, notValues }) =>
    conditionsHold(
      { name: `when ${key}`, question: questionOfKey(key), values, notValues },
      context,
    ),
  );
  const all = [...from, ...to, ...when].flat();
  // AP-36, AP-61: what lets traffic in and cannot be read as a whole lets nothing in.
  if (context.action === "ALLOW" && all.includes("untranslatable")) return false;
  return oneOf(from) && oneOf(to) && allHold(when.flat());
}

/** AP-30: a part that is missing is true. */
function oneOf(alternatives: readonly (readonly Truth[])[]): boolean {
  return alternatives.length === 0 || alternatives.some(allHold);
}

/** What cannot be translated is no condition any more (AP-36, AP-62); ALLOW never comes here with one. */
function allHold(conditions: readonly Truth[]): boolean {
  return conditions.every((truth) => truth !== false);
}

/** AP-31: all fields of one source or operation. */
function fieldsHold(
  fields: Readonly<Record<string, readonly string[] | undefined>>,
  questions: readonly FieldQuestion[],
  context: RuleContext,
): readonly Truth[] {
  return questions.flatMap(({ name, field, notField, question }) => {
    const [values = [], notValues = []] = [fields[field], fields[notField]];
    return conditionsHold({ name, question, values, notValues }, context);
  });
}

interface Conditions {
  readonly name: string;
  readonly question: Question;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** AP-32: one of `values`, and none of `notValues`; an empty list asks nothing. */
function conditionsHold(conditions: Conditions, context: RuleContext): readonly Truth[] {
  const { name, values, notValues } = conditions;
  const truths: Truth[] = [];
  if (values.length > 0) {
    const truth = oneOfValues(conditions, "values", context);
    context.observe?.(name, truth);
    truths.push(truth);
  }
  if (notValues.length > 0) {
    const truth = oneOfValues(conditions, "notValues", context);
    const opposite = truth === "untranslatable" ? truth : !truth;
    context.observe?.(`not ${name}`, opposite);
    truths.push(opposite);
  }
  return truths;
}

function oneOfValues(
  conditions: Conditions,
  list: "values" | "notValues",
  { action, ...context }: RuleContext,
): Truth {
  const letsIn = (action === "ALLOW") === (list === "values");
  const asked = { ...context, purpose: letsIn ? "let in" : "keep out" } as const;
  const truths = conditions[list].map((value) => conditions.question(value, asked));
  // AP-36: one bad value, and the condition is lost: the rule with it, or the rule is wider by it.
  return truths.includes("untranslatable") ? "untranslatable" : truths.includes(true);
}
