/**
 * AuthorizationPolicy: who may call a workload, and how.
 * Source: https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
import { ruleAdvice, valueAdvice } from "./authorization-advice.ts";
import { conditionFormProblem } from "./authorization-values.ts";
import type { Fields } from "./decoder.ts";
import { workloadSelector } from "./label-selector.ts";
import { DRY_RUN_ANNOTATION } from "./own-annotations.ts";
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
  /** Line of that name, from 1; absent: there is none. */
  readonly providerLine?: number;
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

const DRY_RUN = "istio.io/dry-run";
/** What Go takes for true. */
const TRUE: readonly unknown[] = ["1", "t", "T", "TRUE", "true", "True"];

/** Reads what the schema and the webhook found good; refuses what both let pass and what would widen a rule. */
export function authorizationPolicy(meta: ResourceMeta, root: Fields): AuthorizationPolicy {
  const spec = root.section("spec");
  const action = spec.choice("action", AUTHORIZATION_ACTIONS, "ALLOW");
  const named = spec.section("provider");
  const provider = named.text("name") ?? "";
  const providerLine = named.scalar("name")?.line;
  if (action === "ALLOW") tellOfNoRules(root);
  return {
    kind: "AuthorizationPolicy",
    meta,
    selector: workloadSelector(spec),
    targetRefs: targetRefs(spec),
    action,
    ...(action === "CUSTOM" && { provider, ...(providerLine !== undefined && { providerLine }) }),
    dryRun: TRUE.includes(meta.annotations[DRY_RUN]) || ownDryRun(meta, root, action),
    rules: spec.list("rules").map((rule) => authorizationRule(rule, action)),
  };
}

/** Of CUSTOM alone: what would be enforced on any other mesh must not look like a trial. */
function ownDryRun(meta: ResourceMeta, root: Fields, action: AuthorizationAction): boolean {
  const value = meta.annotations[DRY_RUN_ANNOTATION];
  if (value === undefined) return false;
  const problem = ownDryRunProblem(value, action);
  root.section("metadata").stringMap("annotations", {
    key: (name) => (name === DRY_RUN_ANNOTATION ? problem : undefined),
  });
  return value === "true";
}

function ownDryRunProblem(value: string, action: AuthorizationAction): string | undefined {
  if (action !== "CUSTOM") return `is for the action CUSTOM alone; there is ${DRY_RUN}`;
  if (value === "true" || value === "false") return undefined;
  return `is ${quoted(value)}; expected "true" or "false"`;
}

/** `spec: {}` and `rules: []` say that nothing is allowed; what is left blank may have been meant otherwise. */
function tellOfNoRules(root: Fields): void {
  const effect = "it has no rules: it allows nothing, and denies whatever no other policy allows";
  const spec = root.section("spec");
  if (!root.has("spec")) root.notice("spec", `is missing, so ${effect}`);
  else if (spec.mentions("rules") && !spec.has("rules")) {
    spec.notice("rules", `is left blank, so ${effect}`);
  }
}

/** Reads a rule that was checked, with advice. Also of other resources of ours that say which traffic they mean. */
export function authorizationRule(fields: Fields, action: AuthorizationAction): AuthorizationRule {
  const rule = {
    line: fields.line,
    from: membersOf(fields, { list: "from", member: "source" }).map((source) =>
      valuesByField(source, SOURCE_FIELDS),
    ),
    to: membersOf(fields, { list: "to", member: "operation" }).map((operation) =>
      valuesByField(operation, OPERATION_FIELDS),
    ),
    when: conditions(fields),
  };
  for (const advice of ruleAdvice(rule, action)) fields.noticeHere(advice);
  return rule;
}

function membersOf(rule: Fields, { list, member }: { list: string; member: string }): Fields[] {
  return rule.list(list).map((item) => item.section(member));
}

/** A field without values would be as good as absent, and widen the rule: it is refused. */
function valuesByField<Field extends string>(
  fields: Fields,
  names: readonly Field[],
): { readonly [field in Field]?: readonly string[] } {
  const values: { [field in Field]?: readonly string[] } = {};
  for (const name of names) {
    if (!fields.mentions(name)) continue;
    values[name] = advisedTexts(fields, { name, key: name });
    refuseEmptyList(fields, name);
  }
  return values;
}

/** An empty list would be as good as absent, and widen the rule: it is refused. */
function conditions(rule: Fields): AuthorizationCondition[] {
  refuseEmptyList(rule, "when");
  return rule.list("when").map(condition);
}

/** AP-97 */
function condition(fields: Fields): AuthorizationCondition {
  const key = fields.text("key", conditionFormProblem) ?? "";
  const lists = ["values", "notValues"];
  // A condition with neither is the webhook's matter.
  if (!lists.every((name) => fields.saysNothing(name))) {
    for (const name of lists) refuseEmptyList(fields, name);
  }
  return {
    key,
    values: advisedTexts(fields, { name: "values", key }),
    notValues: advisedTexts(fields, { name: "notValues", key }),
  };
}

function refuseEmptyList(fields: Fields, name: string): void {
  if (fields.mentions(name) && fields.saysNothing(name)) {
    fields.report(name, "must have at least one item, or be left out");
  }
}

function advisedTexts(
  fields: Fields,
  { name, key }: { readonly name: string; readonly key: string },
): readonly string[] {
  const texts = fields.texts(name);
  for (const [item, text] of texts.entries()) {
    const advice = valueAdvice(key, text);
    if (advice !== undefined) fields.notice({ name, item }, advice);
  }
  return texts;
}
