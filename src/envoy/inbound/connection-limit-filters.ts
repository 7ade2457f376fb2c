/**
 * RateLimits of connections, as Envoy can keep them: of all connections of one port together. What such a limit would tell
 * apart, or leave out, no filter of connections can: `uncountedLimits` says which those are.
 */
import { type AppliedRateLimit, rateLimitId } from "../../policy/applied-rate-limits.ts";
import { duration, type NetworkFilter, typeUrl } from "../envoy-json.ts";

/** Before anything is judged. Limits on trial are left out: these filters cannot count without refusing. */
export function connectionLimitFilters(
  limits: readonly AppliedRateLimit[],
): readonly NetworkFilter[] {
  return limits
    .filter((limit) => limit.counts !== "requests" && limit.mode === "Enforce" && isPlain(limit))
    .map((limit) => (limit.counts === "connections" ? rateOf(limit) : numberOf(limit)));
}

/** Whether a limit of connections counts all of them, and together. */
export function isPlain({ key, match }: Pick<AppliedRateLimit, "key" | "match">): boolean {
  return key.length === 0 && match.length === 0;
}

/** Of all chains together that have it. */
function rateOf(limit: AppliedRateLimit): NetworkFilter {
  const id = rateLimitId(limit);
  return {
    name: "envoy.filters.network.local_ratelimit",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit"),
      statPrefix: id,
      tokenBucket: {
        maxTokens: limit.burst,
        tokensPerFill: limit.amount,
        fillInterval: duration(limit.perMs),
      },
      shareKey: id,
    },
  };
}

/** Of each chain apart. */
function numberOf(limit: AppliedRateLimit): NetworkFilter {
  return {
    name: "envoy.filters.network.connection_limit",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"),
      statPrefix: rateLimitId(limit),
      maxConnections: String(limit.amount),
    },
  };
}
