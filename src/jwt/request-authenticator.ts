/** Whether the tokens of a request are good, by all rules of RequestAuthentications that apply to a workload (JWT-1..JWT-53). */
import type { TokenLocations } from "../api/request-authentication.ts";
import { claimsProblem, type TokenDemands } from "./check-token.ts";
import { type ReadToken, readToken } from "./read-token.ts";
import { type FoundToken, findTokens, type TokenBearer } from "./token-places.ts";
import {
  evaluateRequirement,
  type ProviderResult,
  requirementOf,
  type TokenRequirement,
} from "./token-requirement.ts";
import type { TokenProblem } from "./token-status.ts";
import type { VerifiedTokens } from "./verified-tokens.ts";

/** One rule, with its keys at hand. */
export interface TokenRule extends TokenDemands {
  readonly places: TokenLocations;
  readonly presence: "OPTIONAL" | "REQUIRED";
}

export interface AcceptedToken {
  /** Index of the rule. */
  readonly rule: number;
  readonly token: ReadToken;
  /** Where this rule found tokens, all of them good. */
  readonly found: readonly FoundToken[];
}

export type Authentication =
  | { readonly result: "good"; readonly accepted: readonly AcceptedToken[] }
  | {
      readonly result: TokenProblem;
      /** What each rule says, in their order. */
      readonly byRule: readonly ProviderResult[];
    };

export class RequestAuthenticator {
  readonly #rules: readonly TokenRule[];
  readonly #requirement: TokenRequirement | undefined;
  readonly #verified: VerifiedTokens;
  readonly #isRequired: boolean;

  /** @param verified shared with other authenticators, also of later views */
  constructor(rules: readonly TokenRule[], verified: VerifiedTokens) {
    this.#rules = rules;
    this.#requirement = requirementOf(rules.map(({ presence }) => presence));
    this.#verified = verified;
    this.#isRequired = rules.some(({ presence }) => presence === "REQUIRED");
  }

  /** @returns a promise only where a signature has to be verified that is not known yet; it never rejects */
  authenticate(bearer: TokenBearer, now: Date): Authentication | Promise<Authentication> {
    const requirement = this.#requirement;
    if (requirement === undefined) return NOBODY;
    const tokens = new Map<string, ReadToken | TokenProblem>();
    const judged = this.#rules.map((rule) => this.#judge(rule, { bearer, tokens, now }));
    if (this.#isDecided(judged)) return conclude(requirement, judged.map(asKnown));
    return this.#verify(judged).then((verified) => conclude(requirement, verified));
  }

  /** Where nothing is required the first rule that accepts ends it (JWT-6): a signature of another is of no interest then. */
  #isDecided(judged: readonly JudgedRule[]): boolean {
    if (judged.every(({ unverified }) => unverified.length === 0)) return true;
    return !this.#isRequired && judged.some(isAccepted);
  }

  #judge(rule: TokenRule, { bearer, tokens: read, now }: Request): JudgedRule {
    const found = findTokens(rule.places, bearer);
    const tokens: ReadToken[] = [];
    const unverified: ReadToken[] = [];
    let problem: TokenProblem | undefined;
    if (found.length > MAX_TOKENS) return { rule, found, tokens, unverified, problem: "shape" };
    // The last is looked at first (JWT-16).
    for (const { text } of found.toReversed()) {
      const known = rule.keys && this.#verified.find(text, rule.keys);
      const token = known ?? readOnce(text, read);
      problem = typeof token === "string" ? token : claimsProblem(token, rule, now);
      if (problem !== undefined || typeof token === "string") break;
      tokens.push(token);
      if (known === undefined) unverified.push(token);
    }
    return { rule, found, tokens, unverified, problem };
  }

  /** One rule after the other, until one accepts. */
  async #verify(judged: readonly JudgedRule[]): Promise<readonly JudgedRule[]> {
    const verified: JudgedRule[] = [];
    for (const one of judged) {
      const isOver = !this.#isRequired && verified.some(isAccepted);
      verified.push(isOver ? asKnown(one) : await this.#verifyOne(one));
    }
    return verified;
  }

  async #verifyOne(one: JudgedRule): Promise<JudgedRule> {
    for (const token of one.unverified) {
      const problem = await this.#verified.verify(token, one.rule.keys);
      if (problem !== undefined) return { ...one, problem, unverified: [] };
    }
    return { ...one, unverified: [] };
  }
}

interface Request {
  readonly bearer: TokenBearer;
  /** By their texts: read once, however many rules look at them. */
  readonly tokens: Map<string, ReadToken | TokenProblem>;
  readonly now: Date;
}

function readOnce(text: string, tokens: Request["tokens"]): ReadToken | TokenProblem {
  const known = tokens.get(text);
  if (known !== undefined) return known;
  const token = readToken(text);
  tokens.set(text, token);
  return token;
}

/** Tokens in the places of one rule; more are a mistake or worse. */
const MAX_TOKENS = 16;

function isAccepted({ found, unverified, problem }: JudgedRule): boolean {
  return found.length > 0 && unverified.length === 0 && problem === undefined;
}

/** Without what was never verified. */
function asKnown(one: JudgedRule): JudgedRule {
  return one.unverified.length === 0 ? one : { ...one, problem: "signature" };
}

interface JudgedRule {
  readonly rule: TokenRule;
  readonly found: readonly FoundToken[];
  /** Without fault as far as their claims go, the last first. */
  readonly tokens: readonly ReadToken[];
  /** Those of them whose signature is not known to be good. */
  readonly unverified: readonly ReadToken[];
  readonly problem: TokenProblem | undefined;
}

const NOBODY: Authentication = { result: "good", accepted: [] };

function conclude(requirement: TokenRequirement, judged: readonly JudgedRule[]): Authentication {
  const byRule = judged.map(resultOf);
  // What nobody has looked at is neither good nor a stranger's: whoever makes us busy must not pass as somebody without token.
  if (byRule.includes("busy")) return { result: "busy", byRule };
  const { result, verified } = evaluateRequirement(
    requirement,
    (index) => byRule[index] ?? "missing",
  );
  if (result !== "good") return { result, byRule };
  const accepted = verified.flatMap((rule) => {
    const { found = [], tokens = [] } = judged[rule] ?? {};
    const token = tokens.at(-1);
    return token === undefined ? [] : [{ rule, token, found }];
  });
  return { result, accepted };
}

function resultOf({ found, problem }: JudgedRule): ProviderResult {
  if (problem !== undefined) return problem;
  return found.length === 0 ? "missing" : "good";
}
