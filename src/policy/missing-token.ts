/** A token that a rule demands and a request does not bring, as the callee's sidecar would answer it (JWT-9, JWT-41). */
import type { Reason, TokenRuleOutcome } from "./decision.ts";
import type { HttpRequest } from "./traffic.ts";
import type { AppliedTokenRule } from "./workload-view.ts";

const MISSING = "Jwt is missing";
const OTHER_ISSUER = "Jwt issuer is not configured";

/** @param request whose token, if any, is taken to be verified */
export function missingToken(
  rules: readonly AppliedTokenRule[] | undefined,
  request: HttpRequest,
): Extract<Reason, { because: "token-refused" }> | undefined {
  const all = rules ?? [];
  const outcomes = all.map((rule) => outcomeOf(rule, request));
  const required = outcomes.filter((_, index) => all[index]?.presence === "REQUIRED");
  const isMet = required.length === 0 || required.some(({ outcome }) => outcome === "good");
  if (isMet || isPreflight(request)) return undefined;
  const problem = request.token === undefined ? MISSING : OTHER_ISSUER;
  return { because: "token-refused", problem, rules: outcomes };
}

function outcomeOf(
  { ref, source, issuer }: AppliedTokenRule,
  { token }: HttpRequest,
): TokenRuleOutcome {
  const isOf = token !== undefined && (issuer === "" || token["iss"] === issuer);
  const lack = token === undefined ? MISSING : OTHER_ISSUER;
  return { origin: { ref, source }, issuer, outcome: isOf ? "good" : lack };
}

/** JWT-22 */
export function isPreflight({ method, header }: Pick<HttpRequest, "method" | "header">): boolean {
  return (
    method === "OPTIONS" && Boolean(header("origin") && header("access-control-request-method"))
  );
}
