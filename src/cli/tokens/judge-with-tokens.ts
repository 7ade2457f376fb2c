/** Judges a question, tokens and all, and has them told: never the token itself, and claims as the user asked for. */
import { quoted } from "../../api/quoted.ts";
import { DEFAULT_DATA_DIRECTORY } from "../../local/data-directory.ts";
import { type Judgement, judge } from "../../policy/judge.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import type { Question } from "../../policy/question.ts";
import { askWithTokens, concealClaims, restsOnKeysOf } from "./ask-with-tokens.ts";
import { formatTokens, tokensAsData } from "./format-tokens.ts";
import type { JudgedTokens } from "./judge-tokens.ts";
import { ToldClaims } from "./told-claims.ts";

export interface TokenOptions {
  /** Names a file of JSON: the payload of a token that the callee's sidecar is taken to have verified. */
  readonly claims?: string;
  /** Names a file, or is "-": a user's token, which the request carries. */
  readonly token?: string;
  /** `ISSUER=FILE`, or FILE for the only issuer, each of JSON: keys, for the rules whose keys are fetched. */
  readonly jwks?: readonly string[];
  /** Of the mesh that is asked for keys it fetched, if it runs. */
  readonly data?: string;
  readonly showClaims?: boolean;
}

export interface JudgedWithTokens {
  /** As policies were asked: with what the callee makes of its tokens. */
  readonly question: Question;
  readonly judgement: Judgement;
  /** Lines on tokens; none where nobody looks at any. */
  readonly rows: readonly string[];
  readonly data: object;
  /** Why it cannot be told: it depends on keys that are not at hand. */
  readonly cannotTell: string | undefined;
  readonly conceal: (lines: readonly string[]) => readonly string[];
  readonly concealData: (data: object) => object;
}

/** @throws QuestionError */
export async function judgeWithTokens(
  snapshot: MeshSnapshot,
  asked: Question,
  { data = DEFAULT_DATA_DIRECTORY, ...options }: TokenOptions,
): Promise<JudgedWithTokens> {
  const now = new Date();
  const { question, tokens } = await askWithTokens(snapshot, asked, { ...options, data, now });
  const judgement = judge(snapshot, question);
  if (tokens === undefined) return untold({ question, judgement }, options);
  const how = options.showClaims ? "shown" : "hashed";
  const claims = new ToldClaims(how);
  const telling = { claims, how, now } as const;
  const cannotTell = keysElsewhere(restsOnKeysOf(judgement.decision, tokens));
  return {
    question,
    judgement: { ...judgement, decision: concealClaims(judgement.decision, claims, tokens) },
    rows: formatTokens(tokens, telling),
    data: {
      tokens: tokensAsData(tokens, telling),
      ...(cannotTell !== undefined && { cannotTell }),
    },
    cannotTell,
    conceal: (lines) => lines.map((line) => concealSecrets(line, tokens)),
    concealData: (told) => JSON.parse(concealSecrets(JSON.stringify(told), tokens)),
  };
}

function keysElsewhere(issuers: readonly string[]): string | undefined {
  if (issuers.length === 0) return undefined;
  return `the keys of ${issuers.map(quoted).join(", ")} are not at hand: say with --data where the mesh that runs keeps its state, or give them with --jwks ISSUER=FILE`;
}

const NOBODY_LOOKS = "no RequestAuthentication applies to the callee: nobody there looks at tokens";

function untold(
  judged: Pick<JudgedWithTokens, "question" | "judgement">,
  { token }: TokenOptions,
): JudgedWithTokens {
  const rows = token === undefined ? [] : [NOBODY_LOOKS];
  return {
    ...judged,
    rows,
    data: token === undefined ? {} : { tokens: { rules: [] } },
    cannotTell: undefined,
    conceal: (lines) => lines,
    concealData: (data) => data,
  };
}

/** A shorter text is no token, and may stand anywhere. */
const MIN_SECRET = 16;

/** Also its parts: whoever has them has the token. */
function concealSecrets(text: string, { secrets }: Pick<JudgedTokens, "secrets">): string {
  const parts = secrets.flatMap((token) => [token, ...token.split(".")]);
  return parts
    .filter(({ length }) => length >= MIN_SECRET)
    .toSorted((one, other) => other.length - one.length)
    .reduce((left, part) => left.replaceAll(part, "(a token)"), text);
}
