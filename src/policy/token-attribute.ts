/** What rules ask of the verified token of an end user: its principal, its claims (JWT-60..JWT-68). */
import { compileStringMatch, compileStringMatches } from "../api/string-match.ts";
import { stringPatterns, type TextPattern } from "./text-lookup.ts";
import type { TokenPayload } from "./traffic.ts";
import type { Traffic, TrafficAttribute } from "./traffic-attribute.ts";

/** Claims that say who and for whom; what others say is the user's own business, and never told. */
const TOLD_CLAIMS: ReadonlySet<string> = new Set(["iss", "sub", "aud", "azp"]);

/** `requestPrincipals` and `request.auth.principal`: `iss/sub` (JWT-60, JWT-61). */
export const REQUEST_PRINCIPAL: TrafficAttribute = {
  layer: "http",
  origin: "token",
  shown: "shown",
  compile(values) {
    const patterns = values.map(compileRequestPrincipal);
    return ({ token }) => token !== undefined && someMatches(patterns, token);
  },
  read: readRequestPrincipal,
  lookup: {
    name: "request principal",
    read: readRequestPrincipal,
    patterns: requestPrincipalPatterns,
  },
};

/**
 * A claim that is a text, or a list of texts one of which must match; anything else matches nothing (JWT-62).
 *
 * @param names from the outermost object inwards; a dot in a name is part of it (JWT-63)
 */
export function claimAttribute(names: readonly string[]): TrafficAttribute {
  const told = names.length === 1 && names.every((name) => TOLD_CLAIMS.has(name));
  return {
    layer: "http",
    origin: "token",
    shown: told ? "shown" : "expected-only",
    compile(values) {
      const matches = compileStringMatches(values);
      return ({ token }) => claimMatches(claimAt(token, names), matches);
    },
    read: (traffic) => tellClaim(traffic, names),
    lookup: {
      name: `claim ${JSON.stringify(names)}`,
      several: true,
      read: ({ token }) => textsOf(claimAt(token, names)),
      patterns: (values) => stringPatterns(values),
    },
  };
}

/**
 * The names in the brackets of `request.auth.claims[a][b]`; where they are not well nested, all that is inside counts
 * as one name (JWT-64).
 *
 * @param brackets what follows `request.auth.claims`
 * @returns undefined when there is no name
 */
export function claimNames(brackets: string): readonly string[] | undefined {
  if (!/^\[.+\]$/s.test(brackets)) return undefined;
  const inside = brackets.slice(1, -1);
  return /^(\[[^[\]]*\])+$/.test(brackets) ? inside.split("][") : [inside];
}

function readRequestPrincipal({ token }: Traffic): string | undefined {
  if (token === undefined) return undefined;
  const { iss, sub } = token;
  return typeof iss === "string" && typeof sub === "string" ? `${iss}/${sub}` : undefined;
}

/** A value without a slash and without `*` demands an empty subject (JWT-60). */
function requestPrincipalPatterns(values: readonly string[]): readonly TextPattern[] | undefined {
  const joined = values.map((value) => (/[*/]/.test(value) ? value : `${value}/`));
  return stringPatterns(joined)?.map((pattern) => ({ ...pattern, proof: "unsure" }));
}

interface RequestPrincipalPattern {
  readonly issuer: (value: string) => boolean;
  readonly subject: (value: string) => boolean;
}

function someMatches(
  patterns: readonly RequestPrincipalPattern[],
  { iss, sub }: TokenPayload,
): boolean {
  if (typeof iss !== "string" || typeof sub !== "string") return false;
  for (const { issuer, subject } of patterns) if (issuer(iss) && subject(sub)) return true;
  return false;
}

/** An issuer may be a URL, so that the last slash is the one that divides (JWT-60). */
function compileRequestPrincipal(value: string): RequestPrincipalPattern {
  const slash = value.lastIndexOf("/");
  if (slash < 0) return compileUndivided(value);
  const [issuer, subject] = [value.slice(0, slash), value.slice(slash + 1)];
  if (value.startsWith("*")) {
    return { issuer: compileStringMatch(issuer), subject: exactly(subject) };
  }
  return {
    issuer: exactly(issuer),
    subject: value.endsWith("*") ? compileSubjectPrefix(subject) : exactly(subject),
  };
}

/** After an issuer, only a `*` at the end is one. */
function compileSubjectPrefix(subject: string): (value: string) => boolean {
  const prefix = subject.slice(0, -1);
  return prefix === "" ? (value) => value !== "" : (value) => value.startsWith(prefix);
}

function compileUndivided(value: string): RequestPrincipalPattern {
  const anything = compileStringMatch("*");
  if (value.startsWith("*")) return { issuer: anything, subject: compileStringMatch(value) };
  if (value.endsWith("*")) return { issuer: compileStringMatch(value), subject: anything };
  return { issuer: exactly(value), subject: exactly("") };
}

function exactly(text: string): (value: string) => boolean {
  return (value) => value === text;
}

function claimAt(token: TokenPayload | undefined, names: readonly string[]): unknown {
  let value: unknown = token;
  for (const name of names) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsOf(claim: unknown): string | readonly unknown[] | undefined {
  return typeof claim === "string" || Array.isArray(claim) ? claim : undefined;
}

function claimMatches(claim: unknown, matches: (value: string) => boolean): boolean {
  if (typeof claim === "string") return matches(claim);
  if (!Array.isArray(claim)) return false;
  for (const element of claim) if (typeof element === "string" && matches(element)) return true;
  return false;
}

function tellClaim({ token }: Traffic, names: readonly string[]): string | undefined {
  const claim = claimAt(token, names);
  if (claim === undefined) return undefined;
  if (typeof claim === "string") return claim;
  if (Array.isArray(claim)) return claim.filter((one) => typeof one === "string").join(", ");
  return "what is no text";
}
