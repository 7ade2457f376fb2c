/**
 * What rules demand, ready for either form of Envoy's RBAC: trust domains expanded, accounts completed, conditions that
 * cannot be asked left out or their rule with them (AP-36, AP-61, AP-62). As `compileRule` of the engine reads them.
 */
import {
  type AuthorizationAction,
  type AuthorizationCondition,
  type AuthorizationRule,
  OPERATION_FIELDS,
  type OperationField,
  SOURCE_FIELDS,
  type SourceField,
} from "../../api/authorization-policy.ts";
import type { ResourceRef } from "../../api/resource.ts";
import {
  conditionAttribute,
  OPERATION_RULE_FIELDS,
  SOURCE_RULE_FIELDS,
} from "../../policy/rule-field.ts";
import { ruleId } from "../../policy/rule-id.ts";
import { claimNames } from "../../policy/token-attribute.ts";
import type { PolicyContext, TrafficAttribute } from "../../policy/traffic-attribute.ts";
import { expandPrincipal, expandTrustDomain } from "../../policy/trust-domain-aliases.ts";
import type { AppliedPolicy, Trust } from "../../policy/workload-view.ts";
import { remembered } from "../remembered.ts";

/** What of traffic is asked about. */
export type Subject =
  | { readonly about: PlainSubject }
  /** As written, in any letter case. */
  | { readonly about: "header"; readonly name: string }
  | { readonly about: "claim"; readonly names: readonly string[] }
  /** `envoy.filters.a.b` and a key in its metadata (AP-95). */
  | { readonly about: "filter metadata"; readonly filter: string; readonly key: string };

export type PlainSubject =
  | "principal"
  | "namespace"
  | "service account"
  | "trust domain"
  | "request principal"
  | "source address"
  | "remote address"
  | "destination address"
  | "port"
  | "server name"
  | "host"
  | "method"
  | "path";

/** Traffic must carry one of the values, or none of them (AP-31). */
export interface Demand {
  readonly subject: Subject;
  /** Principals and trust domains in every domain they stand for; service accounts as `NS/SA`. Never empty. */
  readonly values: readonly string[];
  readonly wants: "one" | "none";
  /** Whether a value that is met lets traffic in, or keeps it out. */
  readonly meeting: PolicyContext["matching"];
}

/** (one of `from`) and (one of `to`) and all of `when`; an empty list demands nothing. */
export interface RuleDemands {
  /** `ns[shop]-policy[readers]-rule[0]` (AP-34) */
  readonly id: string;
  readonly policy: ResourceRef;
  /** Its place in the policy, from 0. */
  readonly rule: number;
  readonly from: readonly (readonly Demand[])[];
  readonly to: readonly (readonly Demand[])[];
  readonly when: readonly Demand[];
}

export interface DemandContext {
  readonly action: AuthorizationAction;
  readonly level: "http" | "tcp";
  readonly trust: Trust;
}

/** Rules that can match something, in the order in which they are asked (AP-35). */
export function ruleDemands(
  policies: readonly AppliedPolicy[],
  context: DemandContext,
): readonly RuleDemands[] {
  return policies
    .flatMap((policy) => demandsOfPolicy(policy, context))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

type DemandsOfPolicy = (policy: AppliedPolicy, trust: Trust) => readonly RuleDemands[];

/** By action and level: what a policy demands is worked out once, on however many kinds of chains and however others change. */
const KNOWN: Map<string, DemandsOfPolicy> = new Map();

function demandsOfPolicy(
  policy: AppliedPolicy,
  { action, level, trust }: DemandContext,
): readonly RuleDemands[] {
  const key = `${action} ${level}`;
  const known =
    KNOWN.get(key) ??
    remembered(({ ref, rules }: AppliedPolicy, trusted: Trust) =>
      rules.flatMap(
        (rule, index) =>
          demandsOf(rule, { action, level, trust: trusted, policy: ref, index }) ?? [],
      ),
    );
  KNOWN.set(key, known);
  return known(policy, trust);
}

interface RuleContext extends DemandContext {
  readonly policy: ResourceRef;
  readonly index: number;
}

/** What cannot be asked; an ALLOW rule with it matches nothing. */
const UNASKABLE = Symbol("unaskable");
type Part = Demand | typeof UNASKABLE;

function demandsOf(
  { from, to, when }: AuthorizationRule,
  context: RuleContext,
): RuleDemands | undefined {
  const fromParts = from.map((source) =>
    SOURCE_FIELDS.flatMap((field) => fieldParts(SOURCE_SUBJECTS[field], source[field], context)),
  );
  const toParts = to.map((operation) =>
    OPERATION_FIELDS.flatMap((field) =>
      fieldParts(OPERATION_SUBJECTS[field], operation[field], context),
    ),
  );
  const whenParts = when.flatMap((condition) => conditionParts(condition, context));
  const unaskable = [...fromParts.flat(), ...toParts.flat(), ...whenParts].includes(UNASKABLE);
  if (unaskable && context.action === "ALLOW") return undefined;
  const { policy, index } = context;
  return {
    id: ruleId({ policy, rule: index }),
    policy,
    rule: index,
    from: fromParts.map(askable),
    to: toParts.map(askable),
    when: askable(whenParts),
  };
}

function askable(parts: readonly Part[]): readonly Demand[] {
  return parts.filter((part) => part !== UNASKABLE);
}

interface SubjectField {
  readonly subject: PlainSubject;
  readonly attribute: TrafficAttribute;
  readonly wants: Demand["wants"];
}

const SOURCES: Readonly<Record<SourceField, PlainSubject>> = {
  principals: "principal",
  notPrincipals: "principal",
  requestPrincipals: "request principal",
  notRequestPrincipals: "request principal",
  namespaces: "namespace",
  notNamespaces: "namespace",
  serviceAccounts: "service account",
  notServiceAccounts: "service account",
  ipBlocks: "source address",
  notIpBlocks: "source address",
  remoteIpBlocks: "remote address",
  notRemoteIpBlocks: "remote address",
  trustDomains: "trust domain",
  notTrustDomains: "trust domain",
};
const OPERATIONS: Readonly<Record<OperationField, PlainSubject>> = {
  hosts: "host",
  notHosts: "host",
  ports: "port",
  notPorts: "port",
  methods: "method",
  notMethods: "method",
  paths: "path",
  notPaths: "path",
};
const SOURCE_SUBJECTS: Readonly<Record<SourceField, SubjectField>> = withAttributes(
  SOURCES,
  SOURCE_RULE_FIELDS,
);
const OPERATION_SUBJECTS: Readonly<Record<OperationField, SubjectField>> = withAttributes(
  OPERATIONS,
  OPERATION_RULE_FIELDS,
);

function withAttributes<Field extends string>(
  subjects: Readonly<Record<Field, PlainSubject>>,
  fields: Readonly<
    Record<Field, { readonly attribute: TrafficAttribute; readonly demands: Demand["wants"] }>
  >,
): Readonly<Record<Field, SubjectField>> {
  const rows: Partial<Record<Field, SubjectField>> = {};
  for (const field in subjects) {
    const { attribute, demands } = fields[field];
    rows[field] = { subject: subjects[field], attribute, wants: demands };
  }
  return rows as Record<Field, SubjectField>;
}

function fieldParts(
  { subject, attribute, wants }: SubjectField,
  values: readonly string[] | undefined,
  context: RuleContext,
): readonly Part[] {
  return values === undefined
    ? []
    : partsOf({ subject: { about: subject }, attribute, wants, values }, context);
}

const CONDITIONS: Readonly<Record<string, PlainSubject>> = {
  "source.ip": "source address",
  "remote.ip": "remote address",
  "source.namespace": "namespace",
  "source.principal": "principal",
  "source.serviceAccount": "service account",
  "source.trustDomain": "trust domain",
  "request.auth.principal": "request principal",
  "destination.ip": "destination address",
  "destination.port": "port",
  "connection.sni": "server name",
};
const CLAIM_OF_KEY: Readonly<Record<string, string>> = {
  "request.auth.audiences": "aud",
  "request.auth.presenter": "azp",
};

function conditionParts(
  { key, values, notValues }: AuthorizationCondition,
  context: RuleContext,
): readonly Part[] {
  const subject = conditionSubject(key);
  const attribute = conditionAttribute(key);
  if (subject === undefined || attribute === undefined) return [UNASKABLE];
  return [
    ...partsOf({ subject, attribute, wants: "one", values }, context),
    ...partsOf({ subject, attribute, wants: "none", values: notValues }, context),
  ];
}

/** @returns undefined for a key that is not known (AP-37) */
function conditionSubject(key: string): Subject | undefined {
  const plain = Object.hasOwn(CONDITIONS, key) ? CONDITIONS[key] : undefined;
  if (plain !== undefined) return { about: plain };
  const claim = Object.hasOwn(CLAIM_OF_KEY, key) ? CLAIM_OF_KEY[key] : undefined;
  if (claim !== undefined) return { about: "claim", names: [claim] };
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined) return { about: "header", name: header };
  const brackets = /^request\.auth\.claims(\[.+\])$/.exec(key)?.[1];
  const names = brackets === undefined ? undefined : claimNames(brackets);
  if (names !== undefined) return { about: "claim", names };
  const [, filter, name] = /^experimental\.(envoy\.filters\.[^[]+)\[(.+)\]$/.exec(key) ?? [];
  if (filter === undefined || name === undefined) return undefined;
  return { about: "filter metadata", filter, key: name };
}

function partsOf(
  {
    subject,
    attribute,
    wants,
    values,
  }: Pick<Demand, "subject" | "wants" | "values"> & { readonly attribute: TrafficAttribute },
  { action, level, trust, policy: { namespace } }: RuleContext,
): readonly Part[] {
  if (values.length === 0) return [];
  const meeting = (action === "ALLOW") === (wants === "one") ? "lets-in" : "keeps-out";
  if (attribute.layer === "http" && level === "tcp") return [UNASKABLE];
  const unreadable = attribute.compile(values, { trust, namespace, matching: meeting });
  if (unreadable === undefined) return [UNASKABLE];
  return [{ subject, wants, meeting, values: expanded(subject, values, { trust, namespace }) }];
}

function expanded(
  { about }: Subject,
  values: readonly string[],
  { trust, namespace }: { readonly trust: Trust; readonly namespace: string },
): readonly string[] {
  switch (about) {
    case "principal":
      return values.flatMap((value) => expandPrincipal(value, trust));
    case "trust domain":
      return values.flatMap((value) =>
        value.includes("*") ? [value] : expandTrustDomain(value, trust),
      );
    case "service account":
      return values.map((value) => (value.includes("/") ? value : `${namespace}/${value}`));
    default:
      return values;
  }
}
