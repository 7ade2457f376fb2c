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
import type { AppliedPolicy, WorkloadView } from "../../policy/workload-view.ts";
import { linearRules } from "../authorization/linear/linear-rules.ts";
import { localPortOf } from "../authorization/local-ports.ts";
import { type MatchedRulesContext, matchedRules } from "../authorization/matcher/matched-rules.ts";
import { RBAC_NAMES, type RbacSettings, rbacFilter } from "../authorization/rbac-filter.ts";
import { duration, type NetworkFilter, typeUrl } from "../envoy-json.ts";
import { outboundClusterName } from "../istio-names.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { listOfPatterns } from "./header-patterns.ts";
import type { JudgedChain, RuleForm } from "./judged-chain.ts";

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
  {
    level,
    form,
    transport,
  }: Pick<JudgedChain, "level" | "transport"> & { readonly form: RuleForm },
): readonly NetworkFilter[] {
  const { inbound, trust } = view;
  const { authorizers = [], authorization } = inbound;
  const portOf = localPortOf(view, settings);
  const enforced = authorization.custom.filter(({ dryRun }) => dryRun === undefined);
  return authorizers.flatMap((authorizer) => {
    const policies = enforced.filter(({ provider }) => provider === authorizer.name);
    if (policies.length === 0) return [];
    const asked = askingFilter(authorizer, { level, isGateway: view.gateway !== undefined });
    const whereMatched = (settingsOf: SettingsOf, suffix: string): NetworkFilter =>
      rbacFilter(
        level,
        settingsOf[form](policies, {
          action: "CUSTOM",
          level,
          trust,
          portOf,
          peer: transport === "mesh-tls" ? "mesh" : "nobody",
          nameOf: (policy, rule) =>
            `${RULE_PREFIX}${authorizer.name}-${ruleId({ policy, rule })}${suffix}`,
        }),
      );
    if (asked === undefined) return [whereMatched(REFUSING, NOBODY_TO_ASK)];
    const trigger = whereMatched(inShadow(shadowPrefix(authorizer)), "");
    return [trigger, asked(whereTriggered(level, authorizer, form))];
  });
}

type SettingsOf = Readonly<
  Record<
    RuleForm,
    (policies: readonly AppliedPolicy[], context: MatchedRulesContext) => RbacSettings
  >
>;

const REFUSING: SettingsOf = {
  linear: (policies, context) => ({ rules: linearRules(policies, context) }),
  matcher: (policies, context) => ({ matcher: matchedRules(policies, context) }),
};

function inShadow(shadowRulesStatPrefix: string): SettingsOf {
  return {
    linear: (policies, context) => ({
      shadowRules: linearRules(policies, context),
      shadowRulesStatPrefix,
    }),
    matcher: (policies, context) => ({
      shadowMatcher: matchedRules(policies, context),
      shadowRulesStatPrefix,
    }),
  };
}

/** AP-121 */
const RULE_PREFIX = "istio-ext-authz-";
/** Of rules whose authorizer cannot be asked, so that whatever they match is refused (AP-120). */
const NOBODY_TO_ASK = "-deny-due-to-bad-CUSTOM-action";

/** Of each authorizer another one: what one filter leaves in the metadata another does not take away. */
function shadowPrefix({ name }: Pick<AppliedAuthorizer, "name">): string {
  return `istio_ext_authz_${name}_`;
}

/** Whether the filter before said that a rule matches: by the rule's name, as Istio has it, or by its verdict. */
function whereTriggered(
  level: JudgedChain["level"],
  authorizer: AppliedAuthorizer,
  form: RuleForm,
): object {
  const prefix = shadowPrefix(authorizer);
  const [key, stringMatch] =
    form === "linear"
      ? [`${prefix}shadow_effective_policy_id`, { prefix: `${RULE_PREFIX}${authorizer.name}-ns[` }]
      : [`${prefix}shadow_engine_result`, { exact: "denied" }];
  return { filter: RBAC_NAMES[level], path: [{ key }], value: { stringMatch } };
}

/** @returns nothing where nobody can be asked; of connections an HTTP authorizer knows nothing (AP-65) */
function askingFilter(
  authorizer: AppliedAuthorizer,
  { level, isGateway }: Pick<JudgedChain, "level"> & { readonly isGateway: boolean },
): ((filterEnabledMetadata: object) => NetworkFilter) | undefined {
  if (authorizer.kind === "unusable") return undefined;
  if (level === "tcp" && authorizer.kind === "http") return undefined;
  const { name, type } = EXT_AUTHZ[level];
  const terms = level === "http" ? httpTerms(authorizer, isGateway) : tcpTerms(authorizer);
  return (filterEnabledMetadata) => ({
    name,
    typedConfig: {
      "@type": type,
      ...terms,
      statPrefix: level === "tcp" ? `tcp.${authorizer.name}.` : authorizer.name,
      failureModeAllow: authorizer.failOpen,
      transportApiVersion: "V3",
      filterEnabledMetadata,
    },
  });
}

function tcpTerms(authorizer: UsableAuthorizer): object {
  return { grpcService: grpcService(authorizer) };
}

function httpTerms(authorizer: UsableAuthorizer, isGateway: boolean): object {
  const { requestBody, statusOnError, clearRouteCache } = authorizer;
  return {
    ...(authorizer.kind === "grpc"
      ? { grpcService: grpcService(authorizer) }
      : httpService(authorizer)),
    statusOnError: { code: statusOnError },
    // What was allowed is what is routed (QK-76).
    clearRouteCache: clearRouteCache || isGateway,
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
