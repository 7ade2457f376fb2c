/**
 * Whoever CUSTOM policies delegate to, asked by Envoy's filter `ext_authz` as istiod sets it up (EA-1..EA-31): before it
 * stands an RBAC filter in the shadow, whose word the other one goes by, of each authorizer apart (AP-121..AP-123).
 */
import type {
  AppliedAuthorizer,
  AppliedHttpAuthorizer,
  UsableAuthorizer,
} from "../../policy/applied-authorizers.ts";
import { ruleId } from "../../policy/rule-id.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { linearRules } from "../authorization/linear/linear-rules.ts";
import { localPortOf } from "../authorization/local-ports.ts";
import { RBAC_NAMES, rbacFilter } from "../authorization/rbac-filter.ts";
import { duration, type NetworkFilter, type RbacRules, typeUrl } from "../envoy-json.ts";
import { outboundClusterName } from "../istio-names.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { listOfPatterns } from "./header-patterns.ts";
import type { JudgedChain } from "./judged-chain.ts";

const EXT_AUTHZ: Readonly<Record<JudgedChain["level"], { name: string; type: string }>> = {
  http: {
    name: "envoy.filters.http.ext_authz",
    type: typeUrl("envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"),
  },
  tcp: {
    name: "envoy.filters.network.ext_authz",
    type: typeUrl("envoy.extensions.filters.network.ext_authz.v3.ExtAuthz"),
  },
};

/** In the order in which they are asked (AP-122). Policies on trial ask nobody: Envoy cannot ask without waiting. */
export function externalAuthorizationFilters(
  view: Pick<WorkloadView, "inbound" | "gateway" | "trust">,
  settings: ProxySettings,
  { level }: Pick<JudgedChain, "level">,
): readonly NetworkFilter[] {
  const { inbound, trust } = view;
  const { authorizers = [], authorization } = inbound;
  const portOf = localPortOf(view, settings);
  const enforced = authorization.custom.filter(({ dryRun }) => dryRun === undefined);
  return authorizers.flatMap((authorizer) => {
    const policies = enforced.filter(({ provider }) => provider === authorizer.name);
    if (policies.length === 0) return [];
    const asked = askingFilter(authorizer, level);
    const rulesNamed = (suffix: string): RbacRules =>
      linearRules(policies, {
        action: "CUSTOM",
        level,
        trust,
        portOf,
        nameOf: (policy, rule) =>
          `${RULE_PREFIX}${authorizer.name}-${ruleId({ policy, rule })}${suffix}`,
      });
    return asked === undefined
      ? [rbacFilter(level, { rules: rulesNamed(NOBODY_TO_ASK) })]
      : [
          rbacFilter(level, {
            shadowRules: rulesNamed(""),
            shadowRulesStatPrefix: shadowPrefix(authorizer),
          }),
          asked,
        ];
  });
}

/** AP-121 */
const RULE_PREFIX = "istio-ext-authz-";
/** Of rules whose authorizer cannot be asked, so that whatever they match is refused (AP-120). */
const NOBODY_TO_ASK = "-deny-due-to-bad-CUSTOM-action";

/** Of each authorizer another one: what one filter leaves in the metadata another does not take away. */
function shadowPrefix({ name }: Pick<AppliedAuthorizer, "name">): string {
  return `istio_ext_authz_${name}_`;
}

/** Whether the filter before said that a rule matches. */
function whereMatched(level: JudgedChain["level"], authorizer: AppliedAuthorizer): object {
  return {
    filter: RBAC_NAMES[level],
    path: [{ key: `${shadowPrefix(authorizer)}shadow_effective_policy_id` }],
    value: { stringMatch: { prefix: `${RULE_PREFIX}${authorizer.name}-ns[` } },
  };
}

/** @returns nothing where nobody can be asked; of connections an HTTP authorizer knows nothing (AP-65) */
function askingFilter(
  authorizer: AppliedAuthorizer,
  level: JudgedChain["level"],
): NetworkFilter | undefined {
  if (authorizer.kind === "unusable") return undefined;
  if (level === "tcp" && authorizer.kind === "http") return undefined;
  const { name, type } = EXT_AUTHZ[level];
  const terms = level === "http" ? httpTerms(authorizer) : tcpTerms(authorizer);
  return {
    name,
    typedConfig: {
      "@type": type,
      ...terms,
      statPrefix: level === "tcp" ? `tcp.${authorizer.name}.` : authorizer.name,
      failureModeAllow: authorizer.failOpen,
      transportApiVersion: "V3",
      filterEnabledMetadata: whereMatched(level, authorizer),
    },
  };
}

function tcpTerms(authorizer: UsableAuthorizer): object {
  return { grpcService: grpcService(authorizer) };
}

function httpTerms(authorizer: UsableAuthorizer): object {
  const { requestBody, statusOnError, clearRouteCache } = authorizer;
  return {
    ...(authorizer.kind === "grpc"
      ? { grpcService: grpcService(authorizer) }
      : httpService(authorizer)),
    statusOnError: { code: statusOnError },
    clearRouteCache,
    ...(requestBody && {
      withRequestBody: {
        maxRequestBytes: requestBody.maxBytes,
        allowPartialMessage: requestBody.allowPartial,
        packAsBytes: requestBody.packAsBytes,
      },
    }),
    validateMutations: true,
    decoderHeaderMutationRules: {
      disallowExpression: { regex: "(?i)(?::.*|host|x-envoy-.*|x-forwarded-client-cert)" },
    },
  };
}

function grpcService(authorizer: UsableAuthorizer): object {
  return {
    envoyGrpc: { clusterName: clusterOf(authorizer), authority: authorizer.host },
    timeout: duration(authorizer.timeoutMs),
  };
}

function httpService(authorizer: AppliedHttpAuthorizer): object {
  const { host, pathPrefix, requestHeaders, additionalHeaders } = authorizer;
  const { headersToUpstreamOnAllow, headersToDownstreamOnDeny, headersToDownstreamOnAllow } =
    authorizer;
  const added = Object.entries(additionalHeaders).sort(([one], [other]) => (one < other ? -1 : 1));
  const answer = {
    ...listOfPatterns("allowedUpstreamHeaders", headersToUpstreamOnAllow),
    ...listOfPatterns("allowedClientHeaders", headersToDownstreamOnDeny),
    ...listOfPatterns("allowedClientHeadersOnSuccess", headersToDownstreamOnAllow),
  };
  return {
    httpService: {
      serverUri: {
        uri: `http://${host}`,
        cluster: clusterOf(authorizer),
        timeout: duration(authorizer.timeoutMs),
      },
      ...(pathPrefix !== "" && { pathPrefix }),
      ...(added.length > 0 && {
        authorizationRequest: { headersToAdd: added.map(([key, value]) => ({ key, value })) },
      }),
      ...(Object.keys(answer).length > 0 && { authorizationResponse: answer }),
    },
    ...listOfPatterns("allowedHeaders", requestHeaders),
  };
}

function clusterOf({ host, port }: UsableAuthorizer): string {
  return outboundClusterName({ host, servicePort: port });
}
