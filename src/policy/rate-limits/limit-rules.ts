/** Which traffic a rate limit counts: its rules, compiled as those of policies are. */
import type { AppliedRateLimit } from "../applied-rate-limits.ts";
import type { TrafficProtocol } from "../authorization-rule.ts";
import { orderedRules } from "../engine/ordered-rules.ts";
import { PeerRules } from "../engine/peer-rules.ts";
import type { Trust } from "../workload-view.ts";

/**
 * As the rules of a DENY policy: what is in doubt is counted.
 *
 * @returns undefined: all traffic is counted
 */
export function limitRules(
  { ref, source, match, counts }: AppliedRateLimit,
  trust: Trust,
): PeerRules | undefined {
  if (match.length === 0) return undefined;
  const protocol: TrafficProtocol = counts === "requests" ? "http" : "tcp";
  const policy = { ref, source, action: "DENY", rules: match } as const;
  return new PeerRules(orderedRules([policy], { protocol, trust, action: "DENY" }));
}
