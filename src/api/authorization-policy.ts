/**
 * AuthorizationPolicy: who may call a workload, and how.
 * Source: https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
import { ruleAdvice, valueAdvice } from "./authorization-advice.ts";
import {
  conditionKeyProblem,
  conditionValueCheck,
  OPERATION_CHECKS,
  SOURCE_CHECKS,
} from "./authorization-values.ts";
import type { Check, Fields } from "./decoder.ts";
import { workloadSelector } from "./label-selector.ts";
import { quoted } from "./quoted.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { targetRefs } from "./target-refs.ts";

export const AUTHORIZATION_ACTIONS = ["ALLOW", "DENY", "AUDIT", "CUSTOM"] as const;
export type AuthorizationAction = (typeof AUTHORIZATION_ACTIONS)[number];

/** Fields of `from[].source`, in the order of the specification (AP-45..AP-51). */
export const SOURCE_FIELDS = [
  "principals",
  "notPrincipals",
  "requestPrincipals",
  "notRequestPrincipals",
  "namespaces",
  "notNamespaces",
  "serviceAccounts",
  "notServiceAccounts",
  "ipBlocks",
  "notIpBlocks",
  "remoteIpBlocks",
  "notRemoteIpBlocks",
  "trustDomains",
  "notTrustDomains",
] as const;
export type SourceField = (typeof SOURCE_FIELDS)[number];

/** Fields of `to[].operation` (AP-52..AP-57). */
export const OPERATION_FIELDS = [
  "hosts",
  "notHosts",
  "ports",
  "notPorts",
  "methods",
  "notMethods",
  "paths",
  "notPaths",
] as const;
export type OperationField = (typeof OPERATION_FIELDS)[number];

/** Present fields are ANDed; the values of one field are ORed; `not…` is NOT of that OR (AP-31). */
export type AuthorizationSource = { readonly [field in SourceField]?: readonly string[] };
export type AuthorizationOperation = { readonly [field in OperationField]?: readonly string[] };

/** One of `values` and none of `notValues` (AP-32). */
export interface AuthorizationCondition {
  readonly key: string;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** (one of `from`) AND (one of `to`) AND (all of `when`); an empty list is true (AP-30). */
export interface AuthorizationRule {
  /** Line in the policy's file, from 1. */
  readonly line: number;
  readonly from: readonly AuthorizationSource[];
  readonly to: readonly AuthorizationOperation[];
  readonly when: readonly AuthorizationCondition[];
}

export interface AuthorizationPolicy {
  readonly kind: "AuthorizationPolicy";
  readonly meta: ResourceMeta;
  readonly selector: Labels;
  /** A policy with targetRefs never applies to a sidecar (AP-14). */
  readonly targetRefs: readonly TargetRef[];
  readonly action: AuthorizationAction;
  /** Name of the external authorizer; present exactly with CUSTOM (AP-120). */
  readonly provider?: string;
  /** Whether it is on trial: judged and logged, never enforced (AP-110). */
  readonly dryRun: boolean;
  readonly rules: readonly AuthorizationRule[];
}

export interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

const MAX_RULES = 512;
const MAX_ALTERNATIVES = 512;
const MAX_SERVICE_ACCOUNTS = 16;

const DRY_RUN = "istio.io/dry-run";

export function authorizationPolicy(meta: ResourceMeta, root: Fields): AuthorizationPolicy {
  const spec = root.section("spec");
  const action = spec.choice("action", AUTHORIZATION_ACTIONS, "ALLOW");
  const selector = workloadSelector(spec);
  const targets = targetRefs(spec);
  const rules = rulesOf(spec, action);
  const provider = checkAction(spec, action);
  const dryRun = isOnTrial(root.section("metadata").section("annotations"), meta);
  return {
    kind: "AuthorizationPolicy",
    meta,
    selector,
    targetRefs: targets,
    action,
    ...(provider === undefined ? {} : { provider }),
    dryRun,
    rules,
  };
}

/**
 * VAL-20, VAL-21
 *
 * @returns the provider's name, with CUSTOM
 */
function checkAction(spec: Fields, action: AuthorizationAction): string | undefined {
  const provider = spec.section("provider");
  const name = provider.text("name");
  if (action === "CUSTOM") {
    if (!name) provider.report("name", "is missing: CUSTOM needs a provider");
  } else if (spec.has("provider")) {
    spec.report("provider", `must not be given with action ${action}`);
  }
  if ((action === "CUSTOM" || action === "DENY") && spec.saysNothing("rules")) {
    spec.report(
      "rules",
      `${action} without rules never applies; for every request write rules: [{}]`,
    );
  }
  return action === "CUSTOM" ? (name ?? "") : undefined;
}

const GO_TRUE: readonly string[] = ["1", "t", "T", "TRUE", "true", "True"];
const GO_FALSE: readonly string[] = ["0", "f", "F", "FALSE", "false", "False"];

/** AP-110 */
function isOnTrial(annotations: Fields, meta: ResourceMeta): boolean {
  if (!Object.hasOwn(meta.annotations, DRY_RUN)) return false;
  const value = meta.annotations[DRY_RUN] ?? "";
  if (GO_TRUE.includes(value)) return true;
  if (!GO_FALSE.includes(value)) {
    annotations.notice(DRY_RUN, `${quoted(value)} is not a boolean: the policy is enforced`);
  }
  return false;
}

function rulesOf(spec: Fields, action: AuthorizationAction): readonly AuthorizationRule[] {
  const items = spec.list("rules");
  limitItems(spec, { name: "rules", max: MAX_RULES });
  return items.map((fields) => {
    const rule = {
      line: fields.line,
      from: sources(fields),
      to: operations(fields),
      when: fields.list("when").map(condition),
    };
    for (const advice of ruleAdvice(rule, action)) fields.noticeHere(advice);
    return rule;
  });
}

/** VAL-23, VAL-33 */
function alternatives(rule: Fields, { list, member }: { list: string; member: string }): Fields[] {
  const items = rule.list(list);
  limitItems(rule, { name: list, max: MAX_ALTERNATIVES });
  if (rule.mentions(list) && rule.saysNothing(list)) {
    rule.report(list, "must have at least one item, or be left out");
  }
  return items.map((item) => {
    const section = item.section(member);
    if (item.saysNothing(member)) item.report(member, "must have at least one field");
    return section;
  });
}

function sources(rule: Fields): readonly AuthorizationSource[] {
  return alternatives(rule, { list: "from", member: "source" }).map((fields) => {
    checkServiceAccounts(fields);
    return valuesByField(fields, SOURCE_CHECKS);
  });
}

function operations(rule: Fields): readonly AuthorizationOperation[] {
  return alternatives(rule, { list: "to", member: "operation" }).map((fields) =>
    valuesByField(fields, OPERATION_CHECKS),
  );
}

function valuesByField<Field extends string>(
  fields: Fields,
  checks: { readonly [field in Field]: Check },
): { readonly [field in Field]?: readonly string[] } {
  const values: { [field in Field]?: readonly string[] } = {};
  for (const field in checks) {
    if (!fields.mentions(field)) continue;
    values[field] = advisedTexts(fields, { name: field, key: field, check: checks[field] });
    if (fields.saysNothing(field)) fields.report(field, "must have at least one value");
  }
  return values;
}

/** VAL-27 */
function checkServiceAccounts(source: Fields): void {
  const accounts = ["serviceAccounts", "notServiceAccounts"].filter((name) => source.has(name));
  const others = ["principals", "notPrincipals", "namespaces", "notNamespaces"];
  const other = others.find((name) => source.has(name));
  for (const name of accounts) {
    limitItems(source, { name, max: MAX_SERVICE_ACCOUNTS });
    if (other !== undefined) source.report(name, `must not be given together with ${other}`);
  }
}

/** VAL-31, VAL-32 */
function condition(fields: Fields): AuthorizationCondition {
  const key = fields.requiredText("key", conditionKeyProblem);
  const check = conditionValueCheck(key);
  const values = advisedTexts(fields, { name: "values", key, check });
  const notValues = advisedTexts(fields, { name: "notValues", key, check });
  if (fields.saysNothing("values") && fields.saysNothing("notValues")) {
    fields.reportHere("needs values or notValues");
  }
  return { key, values, notValues };
}

function advisedTexts(
  fields: Fields,
  { name, key, check }: { readonly name: string; readonly key: string; readonly check: Check },
): readonly string[] {
  const texts = fields.texts(name, check);
  for (const [item, text] of texts.entries()) {
    const advice = valueAdvice(key, text);
    if (advice !== undefined) fields.notice({ name, item }, advice);
  }
  return texts;
}

function limitItems(fields: Fields, { name, max }: { name: string; max: number }): void {
  const count = fields.itemCount(name);
  if (count > max) fields.report(name, `has ${count} items; at most ${max} are allowed`);
}
