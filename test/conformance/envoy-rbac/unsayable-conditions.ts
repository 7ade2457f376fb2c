/** Which of Envoy's conditions, and requests, have no form in AuthorizationPolicy or at a sidecar. */
import type { ConformanceCase, ExclusionRule } from "../suite-runner.ts";
import type { EnvoyRequest, PeerNames } from "./envoy-request.ts";
import { istioTemplate } from "./istio-template.ts";
import { type EnvoyCondition, isSayable } from "./rbac-formula.ts";
import { has, UNSAYABLE_PATTERNS } from "./string-pattern.ts";

/** One of a policy's permissions, and one of its principals. */
export interface RbacPolicy {
  readonly permissions?: readonly EnvoyCondition[];
  readonly principals?: readonly EnvoyCondition[];
  /** An expression that must hold besides. */
  readonly condition?: unknown;
}

/** One condition, or policies. */
export type RequestCase = ConformanceCase & {
  readonly permission?: EnvoyCondition;
  readonly principal?: EnvoyCondition;
  readonly rbac?: { readonly policies?: Readonly<Record<string, RbacPolicy>> };
  readonly request?: EnvoyRequest;
  readonly errorMatches?: string;
};

export const UNSAYABLE: readonly ExclusionRule<RequestCase>[] = [
  {
    reason: "about Envoy's own check of a configuration that no policy is translated to (AP-36)",
    applies: ({ errorMatches }) => errorMatches !== undefined,
  },
  {
    reason: "a policy has no expressions beside its conditions (AP-30)",
    applies: ({ rbac }) =>
      Object.values(rbac?.policies ?? {}).some(({ condition }) => condition !== undefined),
  },
  ...UNSAYABLE_PATTERNS,
  {
    reason: "letter case does not count in hosts alone (AP-43)",
    applies: (test) => has(test, "ignoreCase", true),
  },
  {
    reason: "a header is compared as text (AP-80)",
    applies: (test) => has(test, "rangeMatch") || has(test, "treatMissingHeaderAsEmpty"),
  },
  {
    reason: "no other filter leaves metadata at a sidecar (AP-95)",
    applies: (test) => asks(test, "metadata") || asks(test, "sourcedMetadata"),
  },
  {
    reason:
      "a sidecar knows its peer by the connection's certificate, not by filter state (AP-45c)",
    applies: (test) => asks(test, "filterState"),
  },
  {
    reason: "no field of AuthorizationPolicy becomes such a condition (AP-60)",
    applies: (test) => !conditionsOf(test).every(isSayable),
  },
  {
    reason: "a sidecar's connections are of IP addresses (AP-50)",
    applies: ({ request = {} }) => Object.values(request).some(isPipe),
  },
  {
    reason: "without the PROXY protocol the connection's peer is the direct one (AP-50, AP-51)",
    applies: (test) =>
      asks(test, "sourceIp") &&
      test.request?.directRemoteAddress !== undefined &&
      test.request.directRemoteAddress !== test.request.connectionRemoteAddress,
  },
  {
    reason: "a peer is known by one SPIFFE ID in its certificate, and by nothing else (AP-45a)",
    applies: ({ request }) => request?.ssl != null && !isWorkload(request.ssl),
  },
  {
    reason:
      "the operators of a template fill their segments and have no further meaning (AP-70, AP-71)",
    applies: (test) => has(test, "uriTemplate") && !has(test, "pathTemplate", sayableTemplate),
  },
];

function conditionsOf({ permission, principal, rbac }: RequestCase): readonly EnvoyCondition[] {
  const policies = Object.values(rbac?.policies ?? {});
  return [
    ...[permission, principal].flatMap((condition) => (condition === undefined ? [] : [condition])),
    ...policies.flatMap(({ permissions = [], principals = [] }) => [...permissions, ...principals]),
  ];
}

function asks(test: RequestCase, kind: string): boolean {
  return has(conditionsOf(test), kind);
}

const sayableTemplate = { test: (text: string) => istioTemplate(text) !== undefined };

function isPipe(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("pipe:");
}

function isWorkload({ uriSans = [] }: PeerNames): boolean {
  return uriSans.length === 1 && uriSans[0]?.startsWith("spiffe://") === true;
}
