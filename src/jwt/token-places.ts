/** Where the tokens of a request are looked for (JWT-11..JWT-14). */

import type { TokenLocations } from "../api/request-authentication.ts";

/** What is looked at of a request. */
export interface TokenBearer {
  /** Each value of a field by its lower-case name, in order. */
  values(name: string): readonly string[];
  /** The first parameter of that name, decoded; undefined when there is none. */
  param(name: string): string | undefined;
}

export interface FoundToken {
  readonly text: string;
  readonly place:
    | { readonly in: "header"; readonly name: string }
    | { readonly in: "param" | "cookie"; readonly name: string };
}

/** JWT-14 */
const TOKEN_CHARACTERS = /[\w.-]+/;

/** By request: its cookies by their names, each looked for once, however many rules ask. */
const knownCookies: WeakMap<TokenBearer, Map<string, string | undefined>> = new WeakMap();

/** In the order of JWT-12: fields by name and prefix, parameters, cookies. */
export function findTokens(places: TokenLocations, bearer: TokenBearer): readonly FoundToken[] {
  return [
    ...headerTokens(places, bearer),
    ...paramTokens(places, bearer),
    ...cookieTokens(places, bearer),
  ];
}

function headerTokens({ headers }: TokenLocations, bearer: TokenBearer): readonly FoundToken[] {
  const byNameAndPrefix = [...headers].sort((one, other) =>
    one.name + one.prefix < other.name + other.prefix ? -1 : 1,
  );
  return byNameAndPrefix.flatMap(({ name, prefix }) => {
    const place = { in: "header", name: name.toLowerCase() } as const;
    return bearer.values(place.name).flatMap((value) => {
      const text = tokenIn(value, prefix);
      return text === undefined ? [] : [{ text, place }];
    });
  });
}

/** JWT-13: the prefix may stand anywhere in the value, in its own case. */
function tokenIn(value: string, prefix: string): string | undefined {
  if (prefix === "") return value === "" ? undefined : value;
  const at = value.indexOf(prefix);
  if (at === -1) return undefined;
  const rest = value.slice(at + prefix.length);
  return TOKEN_CHARACTERS.exec(rest)?.[0] ?? rest;
}

function paramTokens({ params }: TokenLocations, bearer: TokenBearer): readonly FoundToken[] {
  return params.flatMap((name) => {
    const text = bearer.param(name);
    return text === undefined ? [] : [{ text, place: { in: "param", name } as const }];
  });
}

function cookieTokens({ cookies }: TokenLocations, bearer: TokenBearer): readonly FoundToken[] {
  return cookies.flatMap((name) => {
    const text = cookieOf(bearer, name);
    return text === undefined ? [] : [{ text, place: { in: "cookie", name } as const }];
  });
}

function cookieOf(bearer: TokenBearer, name: string): string | undefined {
  let known = knownCookies.get(bearer);
  if (known === undefined) {
    known = new Map();
    knownCookies.set(bearer, known);
  }
  if (known.has(name)) return known.get(name);
  const value = firstCookie(bearer.values("cookie"), name);
  known.set(name, value);
  return value;
}

/** The others are not taken apart: a stranger chooses how many there are. */
function firstCookie(lines: readonly string[], name: string): string | undefined {
  const sought = `${name}=`;
  for (const line of lines) {
    for (let at = line.indexOf(sought); at >= 0; at = line.indexOf(sought, at + 1)) {
      if (!beginsPair(line, at)) continue;
      const end = line.indexOf(";", at);
      const value = line.slice(at + sought.length, end < 0 ? undefined : end).trimEnd();
      return value.replace(/^"(.*)"$/, "$1");
    }
  }
  return undefined;
}

/** Whether nothing but blanks stands between it and the pair before. */
function beginsPair(line: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && line.charAt(before).trim() === "") before--;
  return before < 0 || line[before] === ";";
}
