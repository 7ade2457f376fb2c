/** A token that a rule demands and a request does not bring, as the callee's sidecar would answer it (JWT-9, JWT-41). */
import type { Reason, TokenRuleOutcome } from "./decision.ts";
import type { HttpRequest } from "./traffic.ts";
import type { AppliedTokenRule } from "./workload-view.ts";

const MISSING = "Jwt is missing";

/** @param request whose token, if any, is taken to be verified */
export function missingToken(
  rules: readonly AppliedTokenRule[] | undefined,
  request: HttpRequest,
): Extract<Reason, { because: "token-refused" }> | undefined {
  const outcomes = (rules ?? []).map((rule) => outcomeOf(rule, request));
  const isMissed = (rules ?? []).some(
    ({ presence }, index) => presence === "REQUIRED" && outcomes[index]?.outcome === MISSING,
  );
  if (!isMissed || isPreflight(request)) return undefined;
  return { because: "token-refused", problem: MISSING, rules: outcomes };
}

function outcomeOf(
  { ref, source, issuer }: AppliedTokenRule,
  { token }: HttpRequest,
): TokenRuleOutcome {
  const isOf = token !== undefined && (issuer === "" || token["iss"] === issuer);
  return { origin: { ref, source }, issuer, outcome: isOf ? "good" : MISSING };
}

/** JWT-22 */
function isPreflight({ method, header }: HttpRequest): boolean {
  return (
    method === "OPTIONS" && Boolean(header("origin") && header("access-control-request-method"))
  );
}
