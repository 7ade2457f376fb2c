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
  if (cookies.length === 0) return [];
  const given = bearer.values("cookie").flatMap((value) => value.split(";"));
  return cookies.flatMap((name) => {
    const pair = given.map((one) => one.trim()).find((one) => one.startsWith(`${name}=`));
    const text = pair?.slice(name.length + 1).replace(/^"(.*)"$/, "$1");
    return text === undefined ? [] : [{ text, place: { in: "cookie", name } as const }];
  });
}
