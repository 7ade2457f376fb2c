/** What became of one question to an authorizer, as decisions tell it. */
import type { UsableAuthorizer } from "../../policy/applied-authorizers.ts";
import type { AuthorizerAnswer, Delegation, Judged } from "../../policy/decision.ts";
import type { Answer } from "../exchange.ts";
import type { AuthorizerVerdict, Denied } from "./authorizer-verdict.ts";

/** EA-26: an error lets pass where the authorizer is defined so, and the error is the authorizer's. */
export function answerOf(
  { name, failOpen, statusOnError }: UsableAuthorizer,
  verdict: AuthorizerVerdict,
  milliseconds: number,
): AuthorizerAnswer {
  const base = { provider: name, milliseconds };
  switch (verdict.outcome) {
    case "allowed":
      return { ...base, outcome: "allowed", ...metadataOf(verdict) };
    case "denied":
      return {
        ...base,
        outcome: "denied",
        status: verdict.answer.status,
        ...metadataOf(verdict),
      };
    case "failed":
      return failOpen && verdict.fault !== "here"
        ? { ...base, outcome: "passed unasked", problem: verdict.problem }
        : { ...base, outcome: "failed", status: statusOnError, problem: verdict.problem };
  }
}

function metadataOf({ metadata }: { readonly metadata?: string | undefined }) {
  return metadata === undefined ? {} : { metadata };
}

/** Why traffic does not pass; undefined: it does. */
export function refusalBy(
  { provider, matched }: Delegation,
  { outcome, status, problem = "" }: AuthorizerAnswer,
): Judged | undefined {
  if (outcome === "denied") {
    const told = status === undefined ? {} : { status };
    return {
      verdict: "deny",
      reason: { because: "authorizer-denied", provider, matched, ...told },
    };
  }
  if (outcome !== "failed") return undefined;
  return { verdict: "deny", reason: { because: "authorizer-failed", provider, matched, problem } };
}

const FLAGS = "UAEX";

/** EA-27 */
export function denialAnswer({ answer }: Denied): Answer {
  return { ...answer, flags: FLAGS, details: "ext_authz_denied" };
}

/** EA-26 */
export function failureAnswer({ statusOnError }: UsableAuthorizer): Answer {
  return { status: statusOnError, body: "", flags: FLAGS, details: "ext_authz_error" };
}
