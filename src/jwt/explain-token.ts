/** Why one token is good or not, by one rule: each check in its order, and the key that has signed it. */
import { claimsProblem, signatureProblem } from "./check-token.ts";
import { type ReadToken, readParts, readToken } from "./read-token.ts";
import { TOKEN_CHECKS, type ToldDemands, tellKey } from "./token-checks.ts";
import type { TokenProblem } from "./token-status.ts";

export interface ExplainedToken {
  readonly result: "good" | TokenProblem;
  readonly checks: readonly ExplainedCheck[];
  /** As `"k1" (EC P-256)`; present where the token is good. */
  readonly signedBy?: string;
}

export interface ExplainedCheck {
  readonly check: string;
  readonly result: "passed" | "failed" | "not reached";
  readonly expected: string;
  readonly got: string;
}

/** Calls what a sidecar calls, in the same order. Never tells the signature. */
export async function explainToken(
  text: string,
  demands: ToldDemands,
  now: Date,
): Promise<ExplainedToken> {
  const token = readToken(text);
  const problem = typeof token === "string" ? token : await problemOf(token, demands, now);
  const checks = explainChecks({ text, demands, now }, problem);
  if (problem !== undefined || typeof token === "string")
    return { result: problem ?? "shape", checks };
  const signedBy = await signer(token, demands);
  return { result: "good", checks, ...(signedBy !== undefined && { signedBy }) };
}

async function problemOf(
  token: ReadToken,
  demands: ToldDemands,
  now: Date,
): Promise<TokenProblem | undefined> {
  return claimsProblem(token, demands, now) ?? (await signatureProblem(token, demands.keys));
}

function explainChecks(
  {
    text,
    demands,
    now,
  }: { readonly text: string; readonly demands: ToldDemands; readonly now: Date },
  problem: TokenProblem | undefined,
): readonly ExplainedCheck[] {
  const token = { text, demands, now, parts: readParts(text) };
  const failing = TOKEN_CHECKS.findIndex(({ problems }) => problem && problems.includes(problem));
  const end = failing === -1 ? TOKEN_CHECKS.length : failing;
  return TOKEN_CHECKS.map(({ check, expected, got }, index) => {
    const result = resultAt(index, end);
    const checked = { ...token, result };
    const isReached = result !== "not reached";
    return { check, result, expected: expected(checked), got: isReached ? got(checked) : "" };
  });
}

function resultAt(index: number, failing: number): ExplainedCheck["result"] {
  if (index === failing) return "failed";
  return index < failing ? "passed" : "not reached";
}

async function signer(token: ReadToken, { keys = [] }: ToldDemands): Promise<string | undefined> {
  for (const key of keys)
    if ((await signatureProblem(token, [key])) === undefined) return tellKey(key);
  return undefined;
}
