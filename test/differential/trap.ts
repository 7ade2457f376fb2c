/** What sets written by hand are made of. */
import type { AuthorizationAction, AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import type { Call, CalledPort, Caller, PolicySet, WireRequest } from "./question.ts";

export type Rule = Partial<Omit<AuthorizationRule, "line">>;

export interface Trap {
  readonly policies: Partial<Record<"audit" | "allow" | "deny", readonly Rule[]>> & {
    /** DENY, not in force. */
    readonly trial?: readonly Rule[];
    /** By the provider that is asked. */
    readonly custom?: Readonly<Record<string, readonly Rule[]>>;
  };
  readonly frame?: Partial<PolicySet>;
  readonly calls: readonly Call[];
}

const ID = "spiffe://cluster.local/ns/default/sa/";
export const ALL: Rule = {};
const PORTS: PolicySet["ports"] = [
  { containerPort: 8080, protocol: "http" },
  { containerPort: 8443, protocol: "tcp" },
];

export const as: (name: string) => Caller = (name) => ({
  kind: "identity",
  uri: name.includes(":") ? name : ID + name,
});
export const both = (...names: readonly string[]): Caller => ({
  kind: "identities",
  uris: names.map((name) => ID + name),
});
export const PLAINTEXT: Caller = { kind: "plaintext" };
export const NOBODY: Caller = { kind: "nobody" };

export function calls(
  callers: readonly Caller[],
  ...requests: readonly Partial<WireRequest>[]
): Call[] {
  return callers.flatMap((caller) =>
    (["http/1.1", "h2"] as const).flatMap((protocol) =>
      requests.map((request) => ({
        ...portOf(caller, 8080),
        protocol,
        request: { method: "GET", path: "/", authority: "api", headers: [], ...request },
      })),
    ),
  );
}

export function tcpCalls(...callers: readonly Caller[]): Call[] {
  return callers.map((caller) => ({ ...portOf(caller, 8443), protocol: "tcp" }));
}

function portOf(caller: Caller, containerPort: number): Omit<CalledPort, "protocol"> {
  return { caller, sourceAddress: "127.0.0.1", containerPort };
}

export const paths = (...all: readonly string[]): Partial<WireRequest>[] =>
  all.map((path) => ({ path }));
export function setOf(
  { policies, frame }: Trap,
  written: Pick<PolicySet, "form" | "mode">,
): PolicySet {
  const { custom = {}, audit, deny, trial, allow } = policies;
  const effective: EffectiveAuthorization = {
    custom: Object.entries(custom).flatMap(([provider, rules]) =>
      policyOf("CUSTOM", rules, { name: `custom-${provider}`, provider }),
    ),
    audit: policyOf("AUDIT", audit),
    deny: [...policyOf("DENY", deny), ...policyOf("DENY", trial, { name: "trial", dryRun: true })],
    allow: policyOf("ALLOW", allow),
  };
  return {
    trust: { trustDomain: "cluster.local", trustDomainAliases: [] },
    pathNormalization: "DEFAULT",
    ports: PORTS,
    tokens: "ignored",
    ...frame,
    ...written,
    policies: effective,
  };
}

function policyOf(
  action: AuthorizationAction,
  rules: readonly Rule[] | undefined,
  more: Pick<AppliedPolicy, "provider" | "dryRun"> & { readonly name?: string } = {},
): AppliedPolicy[] {
  if (rules === undefined) return [];
  const { name = action.toLowerCase(), ...rest } = more;
  return [
    {
      ref: { kind: "AuthorizationPolicy", namespace: "production", name },
      source: { file: "policies.yaml", line: 1 },
      action,
      ...rest,
      rules: rules.map((rule) => ({ line: 5, from: [], to: [], when: [], ...rule })),
    },
  ];
}
