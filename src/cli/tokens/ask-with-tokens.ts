/** A question whose request carries tokens, so far as the callee's sidecar looks at any: judged by the keys that are at hand. */
import type { Decision, Judged, Reason } from "../../policy/decision.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import { type Question, QuestionError } from "../../policy/question.ts";
import { type JudgedTokens, judgeTokens } from "./judge-tokens.ts";
import { readTokenFile } from "./token-file.ts";
import { type TokenKeyOptions, tokenKeysAtHand, tokenRulesWithKeys } from "./token-keys-at-hand.ts";
import type { ToldClaims } from "./told-claims.ts";

export interface TokenQuestionOptions extends TokenKeyOptions {
  /** A file, or "-". */
  readonly token?: string;
  readonly claims?: string;
}

export interface AskedWithTokens {
  /** As policies are asked. */
  readonly question: Question;
  /** Undefined: nobody looks at any. */
  readonly tokens: JudgedTokens | undefined;
}

/** @throws QuestionError */
export async function askWithTokens(
  snapshot: MeshSnapshot,
  question: Question,
  options: TokenQuestionOptions & { readonly now: Date },
): Promise<AskedWithTokens> {
  const { to, request } = question;
  const token = options.token === undefined ? undefined : await readTokenFile(options.token);
  if (token !== undefined && options.claims !== undefined)
    throw new QuestionError("--token and --claims: give one of them, a token has its own claims");
  if (token !== undefined && request === undefined)
    throw new QuestionError("--token is of no use without --request");
  if (request === undefined || options.claims !== undefined || !to.injected)
    return { question, tokens: undefined };
  const keys = await tokenKeysAtHand(snapshot, to, options);
  const rules = tokenRulesWithKeys(snapshot, to, keys);
  const tokens = await judgeTokens({ request, token, rules, keys, now: options.now });
  return {
    question: tokens === undefined ? question : { ...question, request: tokens.request },
    tokens,
  };
}

/** @returns the issuers on whose keys, which are not at hand, the decision rests, so that a mesh that runs may decide otherwise */
export function restsOnKeysOf(
  { reason }: Judged,
  { lackingKeysOf }: Pick<JudgedTokens, "lackingKeysOf">,
): readonly string[] {
  const { because } = reason;
  const last = because === "matched-custom" ? reason.afterwards.reason.because : because;
  return last === "token-refused" ? lackingKeysOf : [];
}

/** What policies got of the token's claims is told as the claims are. */
export function concealClaims(
  decision: Decision,
  told: ToldClaims,
  { claims }: Pick<JudgedTokens, "claims">,
): Decision {
  if (claims === undefined) return decision;
  const conceal = (reason: Reason): Reason =>
    concealed(reason, (text) => told.conceal(text, claims));
  const { dryRun } = decision;
  return {
    ...decision,
    reason: conceal(decision.reason),
    ...(dryRun && { dryRun: { ...dryRun, reason: conceal(dryRun.reason) } }),
  };
}

function concealed(reason: Reason, conceal: (text: string) => string): Reason {
  if (reason.because === "matched-custom") {
    const { afterwards } = reason;
    return {
      ...reason,
      afterwards: { ...afterwards, reason: concealed(afterwards.reason, conceal) },
    };
  }
  if (reason.because !== "no-allow-matched") return reason;
  const nearest = reason.nearest.map((miss) => ({
    ...miss,
    unmet: miss.unmet.map((condition) => ({ ...condition, got: conceal(condition.got) })),
  }));
  return { ...reason, nearest };
}
