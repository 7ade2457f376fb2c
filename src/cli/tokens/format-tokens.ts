/** The tokens of a request as people read them: each rule, each check in its order, what it expected and got. */
import { formatLocation, formatRef } from "../../api/resource.ts";
import type { ExplainedCheck } from "../../jwt/explain-token.ts";
import { keyOriginInWords } from "./format-key-origin.ts";
import {
  type JudgedToken,
  type JudgedTokenRule,
  type JudgedTokens,
  resultInWords,
} from "./judge-tokens.ts";
import type { ShowClaims, ToldClaims } from "./told-claims.ts";

export interface TokenTelling {
  readonly claims: ToldClaims;
  readonly how: ShowClaims;
  readonly now: Date;
}

/** Lines without indentation of their own, but for the checks. */
export function formatTokens(tokens: JudgedTokens, telling: TokenTelling): readonly string[] {
  return [
    ...(tokens.sentIn === undefined ? [] : [`taken to be sent in ${placeInWords(tokens.sentIn)}`]),
    ...rulesInOrder(tokens.rules, telling),
    ...claimLines(tokens, telling),
  ];
}

/** The same for programs. */
export function tokensAsData(tokens: JudgedTokens, { claims, now }: TokenTelling): object {
  return {
    result: resultInWords(tokens.result),
    sentIn: tokens.sentIn,
    rules: tokens.rules.map(({ keys, tokens: found, isOwn: _, ...rule }) => ({
      ...rule,
      keys: keyOriginInWords(keys, now),
      tokens: found.map(({ result, ...token }) => ({ result: resultInWords(result), ...token })),
    })),
    ...(tokens.claims && { claims: claims.tell(tokens.claims) }),
  };
}

/** What the issuer's own rule says counts; that the others do not know it needs one line each. Of no known issuer, the first that looked. */
function rulesInOrder(rules: readonly JudgedTokenRule[], telling: TokenTelling): readonly string[] {
  const own = rules.filter(({ isOwn }) => isOwn);
  const looked = rules.find(({ tokens }) => tokens.length > 0) ?? rules[0];
  const whole = own.length > 0 || looked === undefined ? own : [looked];
  const others = rules.filter((rule) => !whole.includes(rule));
  return [...whole.flatMap((rule) => ruleLines(rule, telling)), ...others.map(ruleInOneLine)];
}

function ruleLines(rule: JudgedTokenRule, { now }: TokenTelling): readonly string[] {
  const { keys, tokens } = rule;
  return [
    ruleInWords(rule),
    ...(tokens.length === 0 ? [`  ${NONE_THERE}`] : []),
    ...tokens.flatMap((token) => tokenLines(token)),
    ...(tokens.some(isTellingKeys) ? [] : [`  its keys: ${keyOriginInWords(keys, now)}`]),
  ];
}

const NONE_THERE = "no token where it looks";

function ruleInOneLine(rule: JudgedTokenRule): string {
  const results = new Set(rule.tokens.map(({ result }) => resultInWords(result)));
  return `${ruleInWords(rule)}: ${[...results].join("; ") || NONE_THERE}`;
}

function ruleInWords({ origin: { ref, source }, issuer, presence }: JudgedTokenRule): string {
  const of = issuer === "" ? "any issuer" : `issuer ${JSON.stringify(issuer)}`;
  const demands = presence === "REQUIRED" ? ", a token is required" : "";
  return `by ${formatRef(ref)} (${formatLocation(source)}), ${of}${demands}`;
}

function isTellingKeys({ checks }: JudgedToken): boolean {
  return checks.some(({ check, result }) => check === "keys" && result !== "not reached");
}

function tokenLines({ place, result, checks, signedBy }: JudgedToken): readonly string[] {
  const key = signedBy === undefined ? "" : `, signed with the key ${signedBy}`;
  return [
    `  in ${placeInWords(place)}: ${resultInWords(result)}${key}`,
    ...groupsOf(checks).map((group) => `    ${groupInWords(group)}`),
  ];
}

/** Those of which more than the name is worth telling when they pass. */
const TELLING: ReadonlySet<string> = new Set([
  ...["algorithm", "key id", "issuer", "not before", "expiry", "audience"],
  ...["keys", "key", "signature"],
]);

/** Those in a row that are told by their names alone are told together. */
function groupsOf(checks: readonly ExplainedCheck[]): readonly (readonly ExplainedCheck[])[] {
  const groups: ExplainedCheck[][] = [];
  for (const check of checks) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    const isAlike = first !== undefined && first.result === check.result && isTerse(first);
    if (group !== undefined && isAlike && isTerse(check)) group.push(check);
    else groups.push([check]);
  }
  return groups;
}

function isTerse({ check, result }: ExplainedCheck): boolean {
  return result === "not reached" || (result === "passed" && !TELLING.has(check));
}

function groupInWords(group: readonly ExplainedCheck[]): string {
  const [first] = group;
  if (first === undefined) return "";
  const { result, check, expected, got } = first;
  if (isTerse(first)) return `${result}: ${group.map((one) => one.check).join(", ")}`;
  return `${result}: ${check}, expected ${expected}; got ${got}`;
}

function placeInWords({
  in: where,
  name,
  prefix = "",
}: {
  readonly in: "header" | "param" | "cookie";
  readonly name: string;
  readonly prefix?: string;
}): string {
  const kind = { header: "the header", param: "the parameter", cookie: "the cookie" }[where];
  return `${kind} ${name}${prefix.trim() === "" ? "" : `, behind ${JSON.stringify(prefix)}`}`;
}

function claimLines({ claims, result }: JudgedTokens, telling: TokenTelling): readonly string[] {
  if (claims === undefined) return [];
  const told = Object.entries(telling.claims.tell(claims));
  const how =
    telling.how === "shown"
      ? ""
      : ", others than iss, aud, azp and times by a hash of this answer alone; see --show-claims";
  return [
    `${result === "good" ? "claims" : "claims, not verified"}${how}:`,
    ...told.map(
      ([name, value]) => `  ${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
    ),
  ];
}
