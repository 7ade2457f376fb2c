/** A decision's reason in the words of Envoy's access log, which existing dashboards and alerts look for. */
import type { Reason } from "../policy/decision.ts";
import type { LimitOutcome } from "../policy/rate-limits/limit-outcome.ts";
import { ruleId } from "../policy/rule-id.ts";

/**
 * Response code details of a refusal (AP-34, AP-120, AP-131, EA-26, EA-27, OBS-6).
 *
 * @returns null where Envoy would say nothing: the traffic was allowed
 */
export function responseCodeDetails(reason: Reason): string | null {
  switch (reason.because) {
    case "matched-deny":
      return accessDenied(ruleId(reason.matched));
    case "no-authorizer":
      return accessDenied(`${ruleId(reason.matched)}-deny-due-to-bad-CUSTOM-action`);
    case "authorizer-denied":
      return "ext_authz_denied";
    case "authorizer-failed":
      return "ext_authz_error";
    case "token-refused":
      return tokenRefusalDetails(reason.problem);
    case "rate-limited":
      return rateLimitDetails(reason);
    case "no-allow-matched":
      return accessDenied("none");
    case "plaintext-refused":
    case "tls-refused":
      return "filter_chain_not_found";
    case "peer-not-verified":
      return "peer_not_verified";
    case "callee-not-verified":
      return "upstream_reset_before_response_started{connection_failure}";
    case "not-own-workload":
      return "not_own_workload";
    case "network-policy":
      return `network_policy_denied_${reason.direction}`;
    case "unknown-destination":
      return "direct_response";
    case "told-by-envoy":
      return reason.details;
    case "matched-allow":
    case "matched-custom":
    case "no-allow-policy":
    case "no-sidecar":
      return null;
  }
}

/** JWT-35 @param problem in the words of the answer */
export function tokenRefusalDetails(problem: string): string {
  return `jwt_authn_access_denied{${problem.replaceAll(" ", "_")}}`;
}

/** As Envoy's two filters say it. */
export function rateLimitDetails({
  scope,
  unavailable,
}: Pick<LimitOutcome, "scope" | "unavailable">): string {
  if (unavailable) return "rate_limiter_error";
  return scope === "Local" ? "local_rate_limited" : "request_rate_limited";
}

function accessDenied(id: string): string {
  return `rbac_access_denied_matched_policy[${id.replaceAll(" ", "_")}]`;
}
