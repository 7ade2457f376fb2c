/** The rate limits of one view, of requests and of connections. */
import type { WorkloadView } from "../../policy/workload-view.ts";
import { ConnectionLimits } from "./connection-limits.ts";
import type { KnownLimits } from "./known-limits.ts";
import { RateLimits } from "./rate-limits.ts";

export interface CompiledRateLimits {
  /** Absent: none counts requests. */
  readonly rateLimits: RateLimits | undefined;
  /** Absent: none counts connections. */
  readonly connectionLimits: ConnectionLimits | undefined;
}

/** @param known what limits of earlier views have counted; those that are no more are forgotten */
export function compileRateLimits(
  { inbound: { rateLimits: limits = [] }, trust }: WorkloadView,
  known: KnownLimits,
): CompiledRateLimits {
  const compiled = {
    rateLimits: RateLimits.of(limits, { known, trust }),
    connectionLimits: ConnectionLimits.of(limits, { known, trust }),
  };
  known.retainOnly(limits);
  return compiled;
}
