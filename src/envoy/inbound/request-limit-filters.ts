/** RateLimits of requests, as Envoy counts them: each by a filter of its own, after all policies have let a request in. */
import { type AppliedRateLimit, rateLimitId } from "../../policy/applied-rate-limits.ts";
import { KEY_ENTRY, LIMIT_ENTRY, rateLimitDomain } from "../../policy/global-limit-descriptor.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { type LinearContext, linearRules } from "../authorization/linear/linear-rules.ts";
import { localPortOf } from "../authorization/local-ports.ts";
import { RBAC_NAMES, rbacFilter } from "../authorization/rbac-filter.ts";
import { duration, type NetworkFilter, typeUrl } from "../envoy-json.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { type ArrivalPorts, limitKeyExpressions } from "./limit-key-expression.ts";

/** The control plane, as Envoy reaches it through its agent. */
const CONTROL_PLANE = "xds-grpc";
/** As many keys of one limit are told apart; one more takes the place of the one that was not used for longest. */
const MOST_KEYS = 10_000;
/** Milliseconds for which a request waits for the service that counts. */
const ANSWER_MS = 250;

export function requestLimitFilters(
  view: Pick<WorkloadView, "inbound" | "gateway" | "trust">,
  settings: ProxySettings,
): readonly NetworkFilter[] {
  const context = { trust: view.trust, portOf: localPortOf(view, settings) };
  const ports = arrivalPorts(view, settings);
  return (view.inbound.rateLimits ?? [])
    .filter(({ counts }) => counts === "requests")
    .flatMap((limit, index) => {
      const key = limitKeyExpressions(limit.key, ports);
      if (key === undefined) return [];
      const counting = { limit, key, shadow: `hauberk_limit_${index}_` };
      return [...triggerOf(counting, context), ...countersOf(counting, context)];
    });
}

interface Counting {
  readonly limit: AppliedRateLimit;
  /** An expression for each part. */
  readonly key: readonly string[];
  /** Before what the filter says of the rules that tell which requests are meant. */
  readonly shadow: string;
}

/** Which requests are meant: the rules say it in the shadow, as those of a DENY policy, so that what is in doubt is counted. */
function triggerOf(
  { limit: { ref, source, match }, shadow }: Counting,
  context: Pick<LinearContext, "trust" | "portOf">,
): readonly NetworkFilter[] {
  if (match.length === 0) return [];
  const policy = { ref, source, action: "DENY", rules: match } as const;
  const shadowRules = linearRules([policy], { ...context, action: "DENY", level: "http" });
  return [rbacFilter("http", { shadowRules, shadowRulesStatPrefix: shadow })];
}

/** Where the mesh counts, each pod does too, up to the same figure, unless a limit says what else holds while nobody answers. */
function countersOf(
  counting: Counting,
  { trust }: Pick<WorkloadView, "trust">,
): readonly NetworkFilter[] {
  const { scope, whenUnavailable } = counting.limit;
  if (scope === "Local") return [localCounter(counting)];
  const counted = globalCounter(counting, rateLimitDomain(trust.trustDomain));
  return whenUnavailable === "Local" ? [localCounter(counting), counted] : [counted];
}

function localCounter(counting: Counting): NetworkFilter {
  const { limit } = counting;
  const id = rateLimitId(limit);
  const isKeyed = limit.key.length > 0;
  return {
    name: "envoy.filters.http.local_ratelimit",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"),
      statPrefix: id,
      filterEnabled: always("local_ratelimit.enabled", 100),
      filterEnforced: always("local_ratelimit.enforced", limit.mode === "Enforce" ? 100 : 0),
      descriptors: [
        {
          entries: [
            { key: LIMIT_ENTRY, value: id },
            ...(limit.match.length > 0 ? [{ key: MATCHED, value: "denied" }] : []),
            ...counting.key.map((_, part) => ({ key: partEntry(part) })),
          ],
          tokenBucket: {
            maxTokens: limit.burst,
            tokensPerFill: limit.amount,
            fillInterval: duration(limit.perMs),
          },
        },
      ],
      ...(isKeyed && { maxDynamicDescriptors: MOST_KEYS }),
      rateLimits: [
        {
          actions: [
            ...actionsOf(counting, "shadow_engine_result"),
            ...counting.key.map((text, part) => keyAction(partEntry(part), text)),
          ],
        },
      ],
      rateLimitedAsResourceExhausted: true,
      ...(limit.headers === "Always" && { enableXRatelimitHeaders: "DRAFT_VERSION_03" }),
    },
  };
}

function globalCounter(counting: Counting, domain: string): NetworkFilter {
  const { limit } = counting;
  return {
    name: "envoy.filters.http.ratelimit",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.http.ratelimit.v3.RateLimit"),
      domain,
      rateLimitService: {
        grpcService: { envoyGrpc: { clusterName: CONTROL_PLANE } },
        transportApiVersion: "V3",
      },
      timeout: duration(ANSWER_MS),
      failureModeDeny: limit.whenUnavailable === "Deny",
      statusOnError: { code: "ServiceUnavailable" },
      rateLimits: [
        {
          actions: [...actionsOf(counting, "shadow_effective_policy_id"), ...keyTogether(counting)],
        },
      ],
      rateLimitedAsResourceExhausted: true,
      disableXEnvoyRatelimitedHeader: true,
      ...(limit.headers === "Always" && { enableXRatelimitHeaders: "DRAFT_VERSION_03" }),
    },
  };
}

const MATCHED = "hauberk.matched";

/** Without the word of the rules there is no descriptor, and nothing is counted. */
function actionsOf({ limit, shadow }: Counting, word: string): readonly object[] {
  return [
    { genericKey: { descriptorKey: LIMIT_ENTRY, descriptorValue: rateLimitId(limit) } },
    ...(limit.match.length === 0
      ? []
      : [
          {
            metadata: {
              descriptorKey: MATCHED,
              metadataKey: { key: RBAC_NAMES.http, path: [{ key: `${shadow}${word}` }] },
              source: "DYNAMIC",
            },
          },
        ]),
  ];
}

/** Of the part of a key: what one bucket is told from another by, in Envoy alone. */
function partEntry(part: number): string {
  return `${KEY_ENTRY}.${part}`;
}

/** As the service that counts knows it: one text, whose parts no line end can be in but by the word of a token's issuer. */
function keyTogether({ key }: Counting): readonly object[] {
  return key.length === 0 ? [] : [keyAction(KEY_ENTRY, key.join(String.raw` + '\n' + `))];
}

function keyAction(descriptorKey: string, text: string): object {
  return {
    extension: {
      name: "envoy.rate_limit_descriptors.expr",
      typedConfig: {
        "@type": typeUrl("envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor"),
        descriptorKey,
        text,
      },
    },
  };
}

/** No runtime key of that name is ever set; Envoy wants one. */
function always(runtimeKey: string, percent: number): object {
  return { runtimeKey, defaultValue: { numerator: percent, denominator: "HUNDRED" } };
}

/** @returns by container port */
export function arrivalPorts(
  view: Pick<WorkloadView, "inbound" | "gateway">,
  settings: ProxySettings,
): ArrivalPorts {
  const portOf = localPortOf(view, settings);
  const declared = [...view.inbound.ports, ...(view.gateway?.listeners ?? [])];
  return new Map(
    declared.flatMap(({ containerPort }) => {
      const arrival = portOf(containerPort);
      return arrival === undefined ? [] : [[containerPort, arrival] as const];
    }),
  );
}
