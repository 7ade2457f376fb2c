/** When a request is sent again, to whom else, and what is answered or held up by intent, in Envoy's terms. */

import type { HashKey } from "../../api/load-balancer-settings.ts";
import type { CorsPolicy, FaultInjection, RetryPolicy } from "../../api/routing/route-parts.ts";
import type { RouteMirror } from "../../policy/routes/virtual-host.ts";
import { duration, type FilterSettings, typeUrl } from "../envoy-json.ts";
import { stringMatcher } from "./text-matcher.ts";

export const CORS = "envoy.filters.http.cors";
export const FAULT = "envoy.filters.http.fault";

/** Envoy's word for numerators out of a million. */
const OF_A_MILLION = "MILLION";
/** How often another endpoint is looked for that has not been tried. */
const LOOKS_FOR_ANOTHER = "5";

/** envoy.config.route.v3.RetryPolicy */
export function retryPolicy(policy: RetryPolicy): object {
  const { attempts, conditions, statuses, perTryTimeoutMs, backoffMs, previousEndpoints } = policy;
  return {
    retryOn: conditions.join(","),
    numRetries: attempts,
    ...(statuses.length > 0 && { retriableStatusCodes: statuses }),
    ...(perTryTimeoutMs !== undefined && { perTryTimeout: duration(perTryTimeoutMs) }),
    ...(backoffMs !== undefined && { retryBackOff: { baseInterval: duration(backoffMs) } }),
    ...(previousEndpoints === "avoided" && {
      retryHostPredicate: [
        {
          name: "envoy.retry_host_predicates.previous_hosts",
          typedConfig: {
            "@type": typeUrl(
              "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            ),
          },
        },
      ],
      hostSelectionRetryMaxAttempts: LOOKS_FOR_ANOTHER,
    }),
  };
}

/** envoy.config.route.v3.RouteAction.RequestMirrorPolicy */
export function mirrorPolicy({ millionths }: RouteMirror, cluster: string): object {
  return { cluster, runtimeFraction: { defaultValue: share(millionths) } };
}

/** envoy.config.route.v3.RouteAction.HashPolicy; none: calls are spread at random. */
export function hashPolicies(key: HashKey): readonly object[] {
  switch (key.from) {
    case "header":
      return [{ header: { headerName: key.name } }];
    case "query-parameter":
      return [{ queryParameter: { name: key.name } }];
    case "source-ip":
      return [{ connectionProperties: { sourceIp: true } }];
    case "cookie":
      return [
        {
          cookie: {
            name: key.name,
            ...(key.path !== "" && { path: key.path }),
            ...(key.ttlSeconds !== undefined && { ttl: duration(key.ttlSeconds * 1_000) }),
            ...(key.attributes.length > 0 && { attributes: key.attributes }),
          },
        },
      ];
    case "nothing":
      return [];
  }
}

/** @returns what the filters of a connection are told for one route */
export function filtersOfRoute({
  cors,
  fault,
}: {
  readonly cors?: CorsPolicy;
  readonly fault?: FaultInjection;
}): Readonly<Record<string, FilterSettings>> {
  return {
    ...(cors && { [CORS]: corsSettings(cors) }),
    ...(fault && { [FAULT]: faultSettings(fault) }),
  };
}

function corsSettings(cors: CorsPolicy): FilterSettings {
  const { maxAgeSeconds, allowCredentials } = cors;
  return {
    "@type": typeUrl("envoy.extensions.filters.http.cors.v3.CorsPolicy"),
    allowOriginStringMatch: cors.allowOrigins.map(stringMatcher),
    ...listed("allowMethods", cors.allowMethods),
    ...listed("allowHeaders", cors.allowHeaders),
    ...listed("exposeHeaders", cors.exposeHeaders),
    ...(maxAgeSeconds !== undefined && { maxAge: String(maxAgeSeconds) }),
    ...(allowCredentials !== undefined && { allowCredentials }),
    forwardNotMatchingPreflights: cors.unmatchedPreflights === "forwarded",
    filterEnabled: { defaultValue: { numerator: 100 } },
  };
}

function listed(field: string, texts: readonly string[]): object {
  return texts.length === 0 ? {} : { [field]: texts.join(",") };
}

function faultSettings({ delay, abort }: FaultInjection): FilterSettings {
  return {
    "@type": typeUrl("envoy.extensions.filters.http.fault.v3.HTTPFault"),
    ...(delay && {
      delay: { fixedDelay: duration(delay.delayMs), percentage: share(delay.millionths) },
    }),
    ...(abort && { abort: { ...answerOf(abort.answer), percentage: share(abort.millionths) } }),
  };
}

/** By name, as users write it: `grpc-status`. */
const GRPC_STATUSES: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];
const UNKNOWN = 2;

/** As `translateGRPCStatus` of istiod, what is no name of one is told as UNKNOWN. */
function answerOf(
  answer: NonNullable<FaultInjection["abort"]>["answer"],
): Readonly<Record<string, number>> {
  if ("httpStatus" in answer) return { httpStatus: answer.httpStatus };
  const known = GRPC_STATUSES.indexOf(answer.grpcStatus);
  return { grpcStatus: known < 0 ? UNKNOWN : known };
}

/** envoy.type.v3.FractionalPercent */
function share(millionths: number): object {
  return { numerator: millionths, denominator: OF_A_MILLION };
}
