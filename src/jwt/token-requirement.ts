/**
 * Which tokens a request must bring, as a tree over providers (rules of RequestAuthentications); Envoy's `jwt_authn` knows the same
 * one (JWT-5, JWT-6). What is asked of one provider is found out by the caller, once for each.
 */
import type { TokenProblem } from "./token-status.ts";

export type TokenRequirement =
  | { readonly kind: "provider"; readonly provider: number }
  /** Of all providers. Only inside `any` or alone: no token at all is fine, a bad one is not. */
  | { readonly kind: "allow missing" }
  /** Only inside `any` or alone: whatever comes is fine. */
  | { readonly kind: "allow missing or failed" }
  | { readonly kind: "any" | "all"; readonly of: readonly TokenRequirement[] };

/** What the tokens at one provider's places are worth; "missing": there are none. */
export type ProviderResult = "good" | TokenProblem;

export interface RequirementResult {
  /** "good", or what to answer. */
  readonly result: ProviderResult;
  /** Those whose token was looked at and is good, in order. */
  readonly verified: readonly number[];
}

/**
 * JWT-5, JWT-6, and JWT-9 where a rule demands its token.
 *
 * @param presences of the providers, in their order; none: nothing is required
 */
export function requirementOf(
  presences: readonly ("OPTIONAL" | "REQUIRED")[],
): TokenRequirement | undefined {
  if (presences.length === 0) return undefined;
  const providers = presences.map((_, provider) => ({ kind: "provider", provider }) as const);
  if (presences.includes("REQUIRED")) return requirementOfSome(providers, presences);
  const missing = { kind: "allow missing" } as const;
  if (providers.length === 1) return { kind: "any", of: [...providers, missing] };
  const each = providers.map((one) => ({ kind: "any", of: [one, missing] }) as const);
  return { kind: "any", of: [...providers, { kind: "all", of: each }] };
}

/**
 * Of those that are required one has to be good, as two issuers share a place; the others are looked at, and no fault, since a token
 * of the one is a stranger's to the other.
 */
function requirementOfSome(
  providers: readonly (TokenRequirement & { readonly kind: "provider" })[],
  presences: readonly ("OPTIONAL" | "REQUIRED")[],
): TokenRequirement {
  const required = providers.filter(({ provider }) => presences[provider] === "REQUIRED");
  const others = providers.filter(({ provider }) => presences[provider] !== "REQUIRED");
  const whatever = { kind: "allow missing or failed" } as const;
  return {
    kind: "all",
    of: [
      { kind: "any", of: required },
      { kind: "any", of: [...others, whatever] },
    ],
  };
}

/** @param resultOf asked at most once for each provider that has to be known */
export function evaluateRequirement(
  requirement: TokenRequirement,
  resultOf: (provider: number) => ProviderResult,
): RequirementResult {
  switch (requirement.kind) {
    case "provider": {
      const result = resultOf(requirement.provider);
      return { result, verified: result === "good" ? [requirement.provider] : [] };
    }
    case "all":
      return evaluateAll(requirement.of, resultOf);
    case "any":
      return evaluateAny(requirement.of, resultOf);
    default:
      return PASSED;
  }
}

const PASSED: RequirementResult = { result: "good", verified: [] };

/** Ends with the first that fails. */
function evaluateAll(
  of: readonly TokenRequirement[],
  resultOf: (provider: number) => ProviderResult,
): RequirementResult {
  const verified: number[] = [];
  for (const one of of) {
    const outcome = evaluateRequirement(one, resultOf);
    if (outcome.result !== "good") return { result: outcome.result, verified: [] };
    verified.push(...outcome.verified);
  }
  return { result: "good", verified };
}

/** Ends with the first that passes; otherwise a fault of a token is told rather than that another is not there (JWT-36). */
function evaluateAny(
  of: readonly TokenRequirement[],
  resultOf: (provider: number) => ProviderResult,
): RequirementResult {
  let problem: TokenProblem = "missing";
  for (const one of of) {
    const outcome = evaluateRequirement(one, resultOf);
    if (outcome.result === "good" && !isPermission(one)) return outcome;
    if (outcome.result !== "good" && rank(outcome.result) >= rank(problem))
      problem = outcome.result;
  }
  if (of.some(({ kind }) => kind === "allow missing or failed")) return PASSED;
  const mayMiss = of.some(({ kind }) => kind === "allow missing");
  return mayMiss && problem === "missing" ? PASSED : { result: problem, verified: [] };
}

function isPermission({ kind }: TokenRequirement): boolean {
  return kind === "allow missing" || kind === "allow missing or failed";
}

function rank(problem: TokenProblem): number {
  if (problem === "missing") return 0;
  return problem === "unknownIssuer" ? 1 : 2;
}
