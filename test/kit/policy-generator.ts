/** Policies that are near to given traffic, so that rules match often and miss by little. */
import type {
  AuthorizationAction,
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationRule,
  AuthorizationSource,
} from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import type { OwnTrustDomains } from "./compiled-engine.ts";
import type { Dice } from "./dice.ts";
import { pathValue } from "./path-value-generator.ts";
import type { TrafficFacts } from "./traffic-facts.ts";
import { generateTraffic, TRUST_DOMAINS } from "./traffic-generator.ts";
import {
  claimValue,
  destinationAddressValue,
  headerValue,
  hostValue,
  type MakeValue,
  metadataValue,
  methodValue,
  namespaceValue,
  portValue,
  principalValue,
  remoteAddressValue,
  requestPrincipalValue,
  serverNameValue,
  serviceAccountValue,
  sourceAddressValue,
  trustDomainValue,
} from "./value-generator.ts";

/** "readable": only what the webhook lets through; "any": also what nobody can translate (AP-36). */
export type Readability = "readable" | "any";

/** Fields that CUSTOM rules may have, too (AP-125). */
const ADDRESS_FIELDS: readonly (readonly [field: string, value: MakeValue])[] = [
  ["ipBlocks", sourceAddressValue],
  ["remoteIpBlocks", remoteAddressValue],
];
const IDENTITY_FIELDS: readonly (readonly [field: string, value: MakeValue])[] = [
  ["principals", principalValue],
  ["principals", principalValue],
  ["requestPrincipals", requestPrincipalValue],
  ["namespaces", namespaceValue],
  ["serviceAccounts", serviceAccountValue],
  ["trustDomains", trustDomainValue],
];
const OPERATION_FIELDS: readonly (readonly [field: string, value: MakeValue])[] = [
  ["hosts", hostValue],
  ["methods", methodValue],
  ["paths", pathValue],
  ["paths", pathValue],
  ["ports", portValue],
];
const PLAIN_KEYS: readonly (readonly [key: string, value: MakeValue])[] = [
  ["source.ip", sourceAddressValue],
  ["remote.ip", remoteAddressValue],
  ["destination.ip", destinationAddressValue],
  ["destination.port", portValue],
  ["connection.sni", serverNameValue],
  ["experimental.envoy.filters.network.x[k]", metadataValue],
  ["request.headers[x-a]", headerValue("x-a")],
  ["request.headers[X-B]", headerValue("x-b")],
  ["request.headers[:path]", headerValue(":path")],
  ["request.headers[:method]", headerValue(":method")],
  ["request.headers[:authority]", headerValue(":authority")],
  ["request.headers[Host]", headerValue("host")],
];
const IDENTITY_KEYS: readonly (readonly [key: string, value: MakeValue])[] = [
  ["source.namespace", namespaceValue],
  ["source.principal", principalValue],
  ["source.serviceAccount", serviceAccountValue],
  ["source.trustDomain", trustDomainValue],
  ["request.auth.principal", requestPrincipalValue],
  ["request.auth.audiences", claimValue("aud")],
  ["request.auth.presenter", claimValue("azp")],
  ["request.auth.claims[groups]", claimValue("groups")],
  ["request.auth.claims[scope]", claimValue("scope")],
  ["request.auth.claims[a.b]", claimValue("a.b")],
  ["request.auth.claims[a][b]", claimValue("a", "b")],
  ["request.auth.claims[a][b][c]", claimValue("a", "b", "c")],
  ["request.auth.claims[iss]", claimValue("iss")],
];
const UNKNOWN_KEYS = ["request.headersX[x-a]", "request.auth.claimsX[a]", "source.color"] as const;
const UNREADABLE_VALUES: Readonly<Record<string, readonly string[]>> = {
  ports: ["http", "65536", "-1", ""],
  ipBlocks: ["10.0.0.0/33", "10.0.0", "::/129", "x"],
  remoteIpBlocks: ["10.0.0.0/x", "010.0.0.1"],
  paths: ["/a/{*}x", "/{**}/{*}", "/a/{b}/{*}", "/a//{*}"],
};

/** Rules of one policy are few, or so many that their order shows (AP-35), or so many that an index is worth it. */
const FEW_RULES = 3;
const MANY_RULES = 12;
const CROWD = 25;
const NAMES = ["a", "a-b", "ab", "b"] as const;
const POLICY_NAMESPACES = ["default", "istio-system"] as const;
const PROVIDERS = ["opa", "opa-2", "ext"] as const;
const ACTIONS: readonly AuthorizationAction[] = [
  "ALLOW",
  "ALLOW",
  "ALLOW",
  "DENY",
  "DENY",
  "CUSTOM",
  "AUDIT",
];

export function generateTrust(dice: Dice): OwnTrustDomains {
  const [trustDomain = "", ...others] = dice.shuffled(TRUST_DOMAINS);
  return { trustDomain, trustDomainAliases: others.slice(0, dice.pick([0, 0, 1, 2])) };
}

/** Policies of one workload, in any order. */
export function generatePolicies(
  dice: Dice,
  witnesses: readonly TrafficFacts[],
  readability: Readability = "readable",
): EffectiveAuthorization {
  const isCrowd = dice.chance(0.01);
  const names = POLICY_NAMESPACES.flatMap((namespace) =>
    NAMES.map((name) => ({ namespace, name })),
  );
  const policies = dice
    .shuffled(names)
    .slice(0, isCrowd ? names.length : dice.between(0, 5))
    .map((named) => generatePolicy(dice, { named, witnesses, readability, isCrowd }));
  const of = (action: AuthorizationAction): AppliedPolicy[] =>
    policies.filter((policy) => policy.action === action);
  return { custom: of("CUSTOM"), audit: of("AUDIT"), deny: of("DENY"), allow: of("ALLOW") };
}

interface PolicyWish {
  readonly named: { readonly namespace: string; readonly name: string };
  readonly witnesses: readonly TrafficFacts[];
  readonly readability: Readability;
  readonly isCrowd: boolean;
}

function generatePolicy(dice: Dice, wish: PolicyWish): AppliedPolicy {
  const { named, witnesses, readability } = wish;
  const action = dice.pick(ACTIONS);
  const few = dice.chance(0.06) ? MANY_RULES : dice.between(isNever(action) ? 0 : 1, FEW_RULES);
  const count = wish.isCrowd ? CROWD : few;
  const source = { file: `${named.namespace}-${named.name}.yaml`, line: 1 };
  const rules = Array.from({ length: count }, () => {
    const facts = dice.chance(0.85) ? dice.pick(witnesses) : generateTraffic(dice);
    return generateRule(dice, { facts, action, readability });
  });
  return {
    ref: { kind: "AuthorizationPolicy", ...named },
    source,
    action,
    ...(action === "CUSTOM" ? { provider: dice.pick(PROVIDERS) } : {}),
    ...(dice.chance(0.15) && canBeOnTrial(action, readability) ? { dryRun: true } : {}),
    rules,
  };
}

/** The webhook refuses the others on trial (AP-113). */
function canBeOnTrial(action: AuthorizationAction, readability: Readability): boolean {
  return readability === "any" || action === "ALLOW" || action === "DENY";
}

/** Only these may be without rules (AP-20). */
function isNever(action: AuthorizationAction): boolean {
  return action === "ALLOW" || action === "AUDIT";
}

interface RuleWish {
  readonly facts: TrafficFacts;
  readonly action: AuthorizationAction;
  readonly readability: Readability;
}

function generateRule(dice: Dice, wish: RuleWish): AuthorizationRule {
  const hasFrom = dice.chance(0.5);
  const hasTo = dice.chance(0.5);
  return {
    line: 1,
    from: hasFrom ? dice.several(1, 2, () => generateSource(dice, wish)) : [],
    to: hasTo ? dice.several(1, 2, () => generateOperation(dice, wish)) : [],
    when: dice.chance(0.5) ? dice.several(1, 2, () => generateCondition(dice, wish)) : [],
  };
}

function generateSource(dice: Dice, wish: RuleWish): AuthorizationSource {
  const all = wish.action === "CUSTOM" ? ADDRESS_FIELDS : [...IDENTITY_FIELDS, ...ADDRESS_FIELDS];
  const fields = generateFields(dice, { ...wish, fields: all });
  // VAL-27
  const { serviceAccounts, notServiceAccounts, ...rest } = fields;
  const others = [rest["principals"], rest["notPrincipals"], rest["namespaces"]];
  return [...others, rest["notNamespaces"]].every((values) => values === undefined) ? fields : rest;
}

function generateOperation(dice: Dice, wish: RuleWish): AuthorizationOperation {
  return generateFields(dice, { ...wish, fields: OPERATION_FIELDS });
}

function generateFields(
  dice: Dice,
  wish: RuleWish & { readonly fields: readonly (readonly [field: string, value: MakeValue])[] },
): Record<string, readonly string[]> {
  const made: Record<string, readonly string[]> = {};
  for (let left = dice.between(1, 2); left > 0; left -= 1) {
    const [field, value] = dice.pick(wish.fields);
    const isNot = dice.chance(0.2);
    const facts = isNot && dice.chance(0.8) ? generateTraffic(dice) : wish.facts;
    const name = isNot ? `not${field.charAt(0).toUpperCase()}${field.slice(1)}` : field;
    made[name] = generateValues(dice, { ...wish, facts, field, value });
  }
  return made;
}

interface ValuesWish extends RuleWish {
  readonly field: string;
  readonly value: MakeValue;
}

function generateValues(dice: Dice, { field, value, ...wish }: ValuesWish): readonly string[] {
  const values = dice.several(1, 2, () => value(dice, wish.facts));
  const unreadable = UNREADABLE_VALUES[field];
  if (wish.readability === "any" && unreadable !== undefined && dice.chance(0.03)) {
    return dice.chance(0.5) ? [dice.pick(unreadable)] : [...values, dice.pick(unreadable)];
  }
  return values;
}

function generateCondition(dice: Dice, wish: RuleWish): AuthorizationCondition {
  const keys = wish.action === "CUSTOM" ? PLAIN_KEYS : [...PLAIN_KEYS, ...IDENTITY_KEYS];
  const [key, value] = dice.pick(keys);
  const values = dice.several(1, 2, () => value(dice, wish.facts));
  const stranger = dice.chance(0.8) ? generateTraffic(dice) : wish.facts;
  const notValues = dice.several(1, 2, () => value(dice, stranger));
  const isUnknown = wish.readability === "any" && dice.chance(0.03);
  const known = isUnknown ? dice.pick(UNKNOWN_KEYS) : key;
  if (dice.chance(0.7)) return { key: known, values, notValues: [] };
  return { key: known, values: dice.chance(0.5) ? values : [], notValues };
}
