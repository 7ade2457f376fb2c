/** What istiod's webhook demands of an AuthorizationPolicy, and what it warns of (VAL-20..VAL-32). */
import { AUTHORIZATION_ACTIONS, type AuthorizationAction } from "../authorization-policy.ts";
import {
  conditionKeyProblem,
  conditionValueCheck,
  OPERATION_CHECKS,
  SOURCE_CHECKS,
} from "../authorization-values.ts";
import type { Check, Fields } from "../decoder.ts";
import { checkWorkloadSelector } from "../label-selector.ts";
import { checkTargetRefs } from "../target-refs.ts";
import { checkDelegable } from "./delegable-rule.ts";
import { warnOfLostConditions } from "./lost-conditions.ts";
import { checkDryRun } from "./policy-annotations.ts";
import type { WebhookRequest } from "./webhook.ts";

const MAX_SERVICE_ACCOUNTS = 16;

export function validateAuthorizationPolicy(request: WebhookRequest): void {
  const { spec } = request;
  const action = spec.choice("action", AUTHORIZATION_ACTIONS, "ALLOW");
  checkDryRun(request, action);
  checkTargetRefs(spec);
  checkWorkloadSelector(spec);
  checkProvider(spec, action);
  if ((action === "CUSTOM" || action === "DENY") && spec.saysNothing("rules")) {
    spec.report(
      "rules",
      `${action} without rules never applies; for every request write rules: [{}]`,
    );
  }
  for (const rule of spec.list("rules")) {
    checkAuthorizationRule(rule);
    if (action === "CUSTOM") checkDelegable(rule);
    if (action === "DENY") warnOfLostConditions(rule);
  }
}

/** VAL-21 */
function checkProvider(spec: Fields, action: AuthorizationAction): void {
  if (action === "CUSTOM") {
    const provider = spec.section("provider");
    if (!provider.text("name")) provider.report("name", "is missing: CUSTOM needs a provider");
  } else if (spec.has("provider")) {
    spec.report("provider", `must not be given with action ${action}`);
  }
}

/** Also of the rules by which other resources of ours say which traffic they mean. */
export function checkAuthorizationRule(rule: Fields): void {
  for (const source of alternatives(rule, { list: "from", member: "source" })) {
    checkValues(source, SOURCE_CHECKS);
    checkServiceAccounts(source);
  }
  for (const operation of alternatives(rule, { list: "to", member: "operation" })) {
    checkValues(operation, OPERATION_CHECKS);
  }
  for (const condition of rule.list("when")) checkCondition(condition);
}

/** VAL-23 */
function alternatives(rule: Fields, { list, member }: { list: string; member: string }): Fields[] {
  if (rule.mentions(list) && rule.saysNothing(list)) {
    rule.report(list, "must have at least one item, or be left out");
  }
  return rule.list(list).map((item) => {
    const section = item.section(member);
    if (!item.has(member)) {
      item.report(member, "is missing; expected a map with at least one field");
    } else if (section.names().every((name) => section.saysNothing(name))) {
      item.report(member, "must have at least one field");
    }
    return section;
  });
}

/** VAL-24..VAL-29 */
function checkValues(fields: Fields, checks: Readonly<Record<string, Check>>): void {
  for (const [name, check] of Object.entries(checks)) fields.texts(name, check);
}

/** VAL-27 */
function checkServiceAccounts(source: Fields): void {
  const others = ["principals", "notPrincipals", "namespaces", "notNamespaces"];
  const other = others.find((name) => source.itemCount(name) > 0);
  for (const name of ["serviceAccounts", "notServiceAccounts"]) {
    if (source.itemCount(name) === 0) continue;
    limitServiceAccounts(source, name);
    if (other !== undefined) source.report(name, `must not be given together with ${other}`);
  }
}

/** VAL-31, VAL-32 */
function checkCondition(condition: Fields): void {
  const key = condition.requiredText("key", conditionKeyProblem);
  const check = conditionValueCheck(key);
  if (condition.saysNothing("values") && condition.saysNothing("notValues")) {
    condition.reportHere("needs values or notValues");
  }
  for (const name of ["values", "notValues"]) {
    condition.texts(name, check);
    if (key === "source.serviceAccount") limitServiceAccounts(condition, name);
  }
}

function limitServiceAccounts(fields: Fields, name: string): void {
  const count = fields.itemCount(name);
  if (count > MAX_SERVICE_ACCOUNTS) {
    fields.report(name, `has ${count} items; at most ${MAX_SERVICE_ACCOUNTS} are allowed`);
  }
}
