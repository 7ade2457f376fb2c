/** Ours: as the sidecar holds it, compiled once a view; callers are connections that stand. */
import type { AuthorizationRule } from "../../../src/api/authorization-policy.ts";
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import { compileAuthorization } from "../../../src/policy/authorize.ts";
import { ConnectionAuthorization } from "../../../src/policy/connection-authorization.ts";
import type { Decision } from "../../../src/policy/decision.ts";
import type { Connection } from "../../../src/policy/traffic.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../../src/policy/workload-view.ts";
import type { Engine } from "./engine.ts";
import type { MixedRequest, MixedRule } from "./mixed-rules.ts";

/** A policy holds at most so many rules (VAL-33). */
const RULES_OF_A_POLICY = 500;
const TRUST = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.2",
} as const;

export const hauberkEngine: Engine = {
  name: "hauberk",
  load(rules) {
    const decide = loadDecisions(rules);
    return Promise.resolve((request) => {
      const decided = decide(request);
      return () => decided().verdict === "allow";
    });
  },
};

/** Each call of what is returned decides anew. */
export function loadDecisions(
  rules: readonly MixedRule[],
): (request: MixedRequest) => () => Decision {
  return decisionsBy(effective(rules));
}

/** The same by policies. */
export function decisionsBy(
  policies: EffectiveAuthorization,
): (request: MixedRequest) => () => Decision {
  const compiled = compileAuthorization(policies, { protocol: "http", trust: TRUST });
  const connections = new Map<string, Standing>();
  return ({ principal, port, method, path, host, headers }) => {
    const key = `${principal} ${port}`;
    const standing = connections.get(key) ?? standingConnection(principal, port);
    connections.set(key, standing);
    const { connection, authorization } = standing;
    const request = {
      connection,
      method,
      path,
      authority: host,
      remoteAddress: connection.sourceAddress,
      header: (name: string) => headers[name],
    };
    return () => authorization.judge(compiled, request);
  };
}

/** As the sidecar holds it. */
interface Standing {
  readonly connection: Connection;
  readonly authorization: ConnectionAuthorization;
}

function standingConnection(principal: string, destinationPort: number): Standing {
  const connection = {
    principal: parseSpiffeId(`spiffe://${principal}`),
    sourceAddress: "10.0.0.9",
    sourcePort: 40_000,
    destinationAddress: "10.0.0.5",
    destinationPort,
  };
  return { connection, authorization: new ConnectionAuthorization(connection) };
}

export function effective(rules: readonly MixedRule[]): EffectiveAuthorization {
  return { custom: [], audit: [], deny: policies(rules, "DENY"), allow: policies(rules, "ALLOW") };
}

function policies(rules: readonly MixedRule[], action: MixedRule["action"]): AppliedPolicy[] {
  const own = rules.filter((rule) => rule.action === action).map(written);
  const count = Math.ceil(own.length / RULES_OF_A_POLICY);
  return Array.from({ length: count }, (_, index) => ({
    ref: {
      kind: "AuthorizationPolicy",
      namespace: "shop",
      name: `${action.toLowerCase()}-${index}`,
    },
    source: { file: "mixed.yaml", line: 1 },
    action,
    rules: own.slice(index * RULES_OF_A_POLICY, (index + 1) * RULES_OF_A_POLICY),
  }));
}

function written({ header, action: _, ...rule }: MixedRule): AuthorizationRule {
  const { principals, notPrincipals, namespaces, ...operation } = rule;
  const source = {
    ...(principals && { principals }),
    ...(notPrincipals && { notPrincipals }),
    ...(namespaces && { namespaces }),
  };
  return {
    line: 1,
    from: Object.keys(source).length > 0 ? [source] : [],
    to: [operation],
    when: header
      ? [{ key: `request.headers[${header.name}]`, values: header.values, notValues: [] }]
      : [],
  };
}
