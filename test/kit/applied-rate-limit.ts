/** Rate limits of views, of which a test says only what matters to it. */
import type { AppliedRateLimit } from "../../src/policy/applied-rate-limits.ts";

/** Unless told otherwise: local, in force, two requests a second by everybody together. */
export function appliedRateLimit(changes: Partial<AppliedRateLimit> = {}): AppliedRateLimit {
  const { name = "all", amount = 2 } = changes;
  return {
    ref: { kind: "RateLimit", namespace: "production", name: "limits" },
    source: { file: "limits.yaml", line: 7 },
    name,
    match: [],
    counts: "requests",
    amount,
    perMs: 1_000,
    burst: amount,
    key: [],
    fair: false,
    scope: "Local",
    mode: "Enforce",
    whenUnavailable: "Local",
    headers: "WhenRefused",
    ...changes,
  };
}
