/** What rules demand of a caller, as envoy.config.rbac.v3.Principal. */
import { claimDemand, requestPrincipalDemands } from "../claim-matchers.ts";
import type { Demand } from "../rule-demands.ts";
import { identityMatchers } from "../string-matchers.ts";
import { headerMatcher } from "./header-matchers.ts";
import { metadataMatcher, range } from "./permissions.ts";

export type Principal = Readonly<Record<string, unknown>>;

/** @returns undefined for what is said of the operation */
export function principal(demand: Demand): Principal | undefined {
  const met = meets(demand);
  if (met === undefined) return undefined;
  return demand.wants === "one" ? met : { notId: met };
}

export function allOf(ids: readonly Principal[]): Principal {
  return { andIds: { ids: ids.length === 0 ? [{ any: true }] : ids } };
}

export const NEVER_SOMEBODY: Principal = { notId: { any: true } };

function meets(demand: Demand): Principal | undefined {
  const { subject, values } = demand;
  const { about } = subject;
  const identity = identityMatchers(demand);
  if (identity !== undefined)
    return anyOf(identity.map((principalName) => ({ authenticated: { principalName } })));
  switch (about) {
    case "source address":
      return anyOf(values.map((value) => ({ directRemoteIp: range(value) })));
    case "remote address":
      return anyOf(values.map((value) => ({ remoteIp: range(value) })));
    case "header":
      return anyOf(values.map((value) => ({ header: headerMatcher(subject.name, value) })));
    case "claim":
      return { metadata: metadataMatcher(claimDemand(subject.names, values)) };
    case "request principal":
      return requestPrincipals(values);
    default:
      return undefined;
  }
}

function requestPrincipals(values: readonly string[]): Principal {
  const ids = values.map((value) =>
    allOf(requestPrincipalDemands(value).map((one) => ({ metadata: metadataMatcher(one) }))),
  );
  const [only, ...others] = ids;
  return only !== undefined && others.length === 0 ? only : anyOf(ids);
}

function anyOf(ids: readonly Principal[]): Principal {
  return { orIds: { ids } };
}
