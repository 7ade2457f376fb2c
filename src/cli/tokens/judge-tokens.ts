/** What the callee's sidecar makes of the tokens of a request that is asked about: by the same code, and with each check told. */
import { fieldName, fieldValue } from "../../http/field-ranges.ts";
import { type ExplainedToken, explainToken } from "../../jwt/explain-token.ts";
import { readParts } from "../../jwt/read-token.ts";
import type { Authentication } from "../../jwt/request-authenticator.ts";
import { readTokenKeys } from "../../jwt/token-keys.ts";
import { type FoundToken, findTokens } from "../../jwt/token-places.ts";
import { TOKEN_PROBLEMS, type TokenProblem } from "../../jwt/token-status.ts";
import type { ResourceOrigin } from "../../policy/decision.ts";
import { isPreflight } from "../../policy/missing-token.ts";
import { type AskedRequest, QuestionError } from "../../policy/question.ts";
import type { TokenPayload } from "../../policy/traffic.ts";
import type { AppliedTokenRule } from "../../policy/workload-view.ts";
import { HeldFields } from "../../proxy/http/held-fields.ts";
import { removeReserved } from "../../proxy/http/reserved-names.ts";
import { KnownTokens, TokenAuthentication } from "../../proxy/token-authentication.ts";
import { type TokenCarrier, tokenBearer } from "../../proxy/token-places-in-request.ts";
import { keyOriginInWords } from "./format-key-origin.ts";
import { type SentToken, sendToken } from "./send-token.ts";
import type { TokenKeyOrigin } from "./token-keys-at-hand.ts";

export interface TokenQuestion {
  readonly request: AskedRequest;
  /** Beside those that the request has already. */
  readonly token?: string | undefined;
  /** All that apply to the callee, in their order, with the keys that are known. */
  readonly rules: readonly AppliedTokenRule[];
  /** Of each rule. */
  readonly keys: readonly TokenKeyOrigin[];
  readonly now: Date;
}

export interface JudgedTokens {
  /** With the token, and with what the callee's sidecar makes of it. */
  readonly request: AskedRequest;
  readonly sentIn?: SentToken["place"] | undefined;
  readonly result: "good" | TokenProblem;
  /** Issuers whose keys are not at hand here: a mesh that runs could know more. */
  readonly lackingKeysOf: readonly string[];
  readonly rules: readonly JudgedTokenRule[];
  /** Texts that must not be told. */
  readonly secrets: readonly string[];
  /** Of the first token that is an object of claims, verified or not. */
  readonly claims: TokenPayload | undefined;
}

export interface JudgedTokenRule {
  readonly origin: ResourceOrigin;
  /** "" is any. */
  readonly issuer: string;
  readonly presence: AppliedTokenRule["presence"];
  /** Whether it is the rule of the issuer that one of these tokens names. */
  readonly isOwn: boolean;
  readonly keys: TokenKeyOrigin;
  /** In the order in which they are looked at. */
  readonly tokens: readonly JudgedToken[];
}

export interface JudgedToken extends ExplainedToken {
  readonly place: FoundToken["place"];
}

/** @returns undefined when there is nothing to look at: no rule, or no token */
export async function judgeTokens(question: TokenQuestion): Promise<JudgedTokens | undefined> {
  const { request, token, rules, now } = question;
  const authentication = TokenAuthentication.of(rules, new KnownTokens());
  if (authentication === undefined) return undefined;
  const sent = token === undefined ? undefined : sendToken(request, token, rules);
  const carrier = carrierOf(sent?.request ?? request);
  try {
    removeReserved(carrier.headers, authentication.outputs);
    const judged = await judgeRules(carrier, question);
    const texts = judged.flatMap(({ found }) => found.map(({ text }) => text));
    if (texts.length === 0 && token === undefined) return undefined;
    const found = isFreed(request) ? NOBODY : await authentication.authenticate(carrier, now);
    return {
      request: settle(sent?.request ?? request, { carrier, authentication, found }),
      sentIn: sent?.place,
      result: found.result,
      lackingKeysOf: lackingKeysOf(judged),
      rules: judged.map(({ rule }) => rule),
      secrets: [...texts, ...(token === undefined ? [] : [token])],
      claims: claimsOf(texts),
    };
  } finally {
    carrier.headers.release();
  }
}

const NOBODY: Authentication = { result: "good", accepted: [] };

/** A preflight of CORS has no token to show (JWT-22). */
function isFreed({ method, headers }: AskedRequest): boolean {
  return isPreflight({ method, header: (name) => headers.get(name) });
}

function carrierOf({ headers: asked, path }: AskedRequest): TokenCarrier {
  const headers = HeldFields.borrow();
  for (const [name, value] of asked) {
    try {
      headers.add(name, value);
    } catch {
      throw new QuestionError(`--header ${name}: no header can carry this value`);
    }
  }
  return { headers, path };
}

interface RuleWithTokens {
  readonly rule: JudgedTokenRule;
  readonly found: readonly FoundToken[];
}

async function judgeRules(
  carrier: TokenCarrier,
  { rules, keys, now }: TokenQuestion,
): Promise<readonly RuleWithTokens[]> {
  return Promise.all(
    rules.map(async (rule, index) => {
      const { ref, source, issuer, presence, locations } = rule;
      const origin = keys[index] ?? { from: "rule" };
      const found = findTokens(locations, tokenBearer(carrier)).toReversed();
      const tokens = await Promise.all(
        found.map(async ({ text, place }) => {
          const explained = await explainToken(text, demandsOf(rule, origin, now), now);
          return { place, ...explained };
        }),
      );
      const isOwn = found.some(({ text }) => issuer === "" || issuerOf(text) === issuer);
      const judged = { issuer, presence, isOwn, keys: origin, tokens };
      return { found, rule: { origin: { ref, source }, ...judged } };
    }),
  );
}

function demandsOf(
  { issuer, audiences, jwks }: AppliedTokenRule,
  origin: TokenKeyOrigin,
  now: Date,
) {
  const keys = jwks === undefined ? undefined : readTokenKeys(jwks);
  return { issuer, audiences, keys, keysInWords: keyOriginInWords(origin, now) };
}

function issuerOf(text: string): unknown {
  return readParts(text).payload.object?.["iss"];
}

/** Each once. */
function lackingKeysOf(judged: readonly RuleWithTokens[]): readonly string[] {
  const lacking = judged.filter(
    ({ rule: { keys, tokens } }) =>
      keys.from === "nowhere" && tokens.some(({ result }) => result === "keysNotFetched"),
  );
  return [...new Set(lacking.map(({ rule }) => rule.issuer))];
}

/** As the sidecar changes the request before any policy is asked. */
function settle(
  request: AskedRequest,
  {
    carrier,
    authentication,
    found,
  }: {
    readonly carrier: TokenCarrier;
    readonly authentication: TokenAuthentication;
    readonly found: Authentication;
  },
): AskedRequest {
  if (found.result !== "good")
    return { ...request, authentication: { refused: authentication.refusal(found) } };
  const token = authentication.accept(carrier, found.accepted);
  const { headers, path } = carrier;
  const left = { path, headers: headersIn(headers) };
  return { ...request, authentication: { token, left } };
}

function headersIn(fields: HeldFields): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < fields.count; at++) {
    if (fields.goesOn(at)) headers.set(fieldName(fields, at), fieldValue(fields, at));
  }
  return headers;
}

function claimsOf(texts: readonly string[]): TokenPayload | undefined {
  for (const text of texts) {
    const { object } = readParts(text).payload;
    if (object !== undefined) return object;
  }
  return undefined;
}

/** "good", or as an answer says it. */
export function resultInWords(result: "good" | TokenProblem): string {
  return result === "good" ? result : TOKEN_PROBLEMS[result];
}
