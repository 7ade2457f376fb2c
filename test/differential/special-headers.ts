/** Headers that proxies write, take out or join, and that rules may ask for all the same. */
import type { AuthorizationCondition } from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import type { Dice } from "../kit/dice.ts";
import { CHECKED } from "./authorizers.ts";
import type { PolicySet } from "./question.ts";

interface SpecialHeader {
  /** As a rule may write it. */
  readonly name: string;
  /** What a rule asks for. */
  readonly values: readonly string[];
  /** What calls send, each a line of its own. */
  readonly sent: readonly (readonly string[])[];
}

const SPECIAL_HEADERS: readonly SpecialHeader[] = [
  {
    name: "Cookie",
    values: ["a=1", "a=1; b=2", "*b=2", "a=1*", "*"],
    sent: [["a=1"], ["a=1; b=2"], ["a=1", "b=2"], ["b=2", "a=1"]],
  },
  { name: "x-forwarded-proto", values: ["http", "https", "*s", "*"], sent: [["http"], ["https"]] },
  { name: "x-request-id", values: ["*", "one", "o*"], sent: [["one"]] },
  {
    name: "X-Forwarded-Client-Cert",
    values: ["By=spiffe://*", "*/sa/sleep", "*URI=spiffe://x/admin", "*"],
    sent: [["By=spiffe://x/y;URI=spiffe://x/admin"]],
  },
  { name: "authorization", values: ["Bearer *", "Basic *", "*"], sent: [["Basic YTpi"]] },
  { name: "x-forwarded-for", values: ["*10.0.0.1", "203.0.113.7*", "*"], sent: [] },
  { name: "X_A", values: ["v", "*"], sent: [["v"]] },
];

/** Some conditions ask for one of them instead. */
export function withSpecialHeaders(
  dice: Dice,
  { custom, audit, deny, allow }: EffectiveAuthorization,
): EffectiveAuthorization {
  const changed = (list: readonly AppliedPolicy[]): AppliedPolicy[] =>
    list.map((policy) => ({
      ...policy,
      rules: policy.rules.map((rule) => ({
        ...rule,
        when: rule.when.map((condition) =>
          dice.chance(0.1) ? specialCondition(dice) : inAnyCase(dice, condition),
        ),
      })),
    }));
  return {
    custom: changed(custom),
    audit: changed(audit),
    deny: changed(deny),
    allow: changed(allow),
  };
}

function specialCondition(dice: Dice): AuthorizationCondition {
  const { name, values } = dice.pick(SPECIAL_HEADERS);
  const key = `request.headers[${name}]`;
  const picked = [dice.pick(values)];
  return dice.chance(0.6)
    ? { key, values: picked, notValues: [] }
    : { key, values: [], notValues: picked };
}

/** Names of headers have no letter case (RFC 9110 section 5.1). */
function inAnyCase(dice: Dice, condition: AuthorizationCondition): AuthorizationCondition {
  const [, name] = /^request\.headers\[([^:].*)\]$/.exec(condition.key) ?? [];
  if (name === undefined || !dice.chance(0.3)) return condition;
  return { ...condition, key: `request.headers[${name.toUpperCase()}]` };
}

/** What calls to a set send beside the headers of the generator. */
export function moreHeaders(
  dice: Dice,
  {
    set,
    method,
    hasToken,
  }: { readonly set: PolicySet; readonly method: string; readonly hasToken: boolean },
): readonly (readonly [name: string, value: string])[] {
  const special = dice.chance(0.2) ? dice.pick(SPECIAL_HEADERS) : undefined;
  const lines = special === undefined || special.sent.length === 0 ? [] : dice.pick(special.sent);
  const isTaken = hasToken && special?.name === "authorization";
  const checked = set.policies.custom.length > 0 && dice.chance(0.6);
  return [
    ...(isTaken ? [] : lines.map((line) => [special?.name ?? "", line] as const)),
    ...(checked ? [[CHECKED, dice.chance(0.8) ? "allow" : "deny"] as const] : []),
    ...(method === "OPTIONS" && dice.chance(0.5) ? PREFLIGHT : []),
  ];
}

const PREFLIGHT: readonly (readonly [name: string, value: string])[] = [
  ["origin", "https://a.example"],
  ["access-control-request-method", "GET"],
];
