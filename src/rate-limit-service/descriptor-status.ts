/** What was counted, in the words of Envoy's rate limit service. */
import { type AppliedRateLimit, rateLimitId } from "../policy/applied-rate-limits.ts";
import {
  RateLimitResponse_Code as Code,
  RateLimitResponse_RateLimit_Unit as Unit,
} from "../wire/gen/envoy/service/ratelimit/v3/rls_pb.ts";
import type { TakenTokens } from "./token-debts.ts";

export interface DescriptorStatus {
  readonly code: Code;
  /** Absent: nothing limits it. */
  readonly currentLimit?: {
    readonly name: string;
    readonly requestsPerUnit: number;
    readonly unit: Unit;
  };
  readonly limitRemaining?: number;
  readonly durationUntilReset?: { readonly seconds: bigint; readonly nanos: number };
  readonly quota?: { readonly requests: number };
}

export const UNLIMITED: DescriptorStatus = { code: Code.OK };

const UNITS: ReadonlyMap<number, Unit> = new Map([
  [1_000, Unit.SECOND],
  [60_000, Unit.MINUTE],
  [3_600_000, Unit.HOUR],
  [86_400_000, Unit.DAY],
]);

/** "over" where not all could be given; `quota` says how many were, those in advance included. */
export function statusOf(
  limit: AppliedRateLimit,
  { hits, taken }: { readonly hits: number; readonly taken: TakenTokens },
): DescriptorStatus {
  const { granted, advance, remaining, waitMs } = taken;
  const given = granted + advance;
  return {
    code: granted < hits ? Code.OVER_LIMIT : Code.OK,
    currentLimit: {
      name: rateLimitId(limit),
      requestsPerUnit: limit.amount,
      unit: UNITS.get(limit.perMs) ?? Unit.UNKNOWN,
    },
    limitRemaining: remaining,
    durationUntilReset: durationOf(waitMs),
    ...(given > 0 && { quota: { requests: given } }),
  };
}

function durationOf(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.floor((ms - seconds * 1_000) * 1e6) };
}
