/** The engine for both protocols, to be asked about plain facts. */
import {
  authorizeConnection,
  authorizeRequest,
  compileAuthorization,
} from "../../src/policy/authorize.ts";
import type { Decision } from "../../src/policy/decision.ts";
import type { EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import { connectionOf, requestOf, type TrafficFacts } from "./traffic-facts.ts";

export interface OwnTrustDomains {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
}

/** Compiles once; asked about a request it judges HTTP, otherwise TCP. */
export function compiledEngine(
  policies: EffectiveAuthorization,
  domains: OwnTrustDomains,
): (facts: TrafficFacts) => Decision {
  const trust = { ...domains, rootsPem: [], minimumTlsVersion: "TLSv1.2" } as const;
  const http = compileAuthorization(policies, { protocol: "http", trust });
  const tcp = compileAuthorization(policies, { protocol: "tcp", trust });
  return (facts) => {
    const request = requestOf(facts);
    return request === undefined
      ? authorizeConnection(tcp, connectionOf(facts))
      : authorizeRequest(http, request);
  };
}
