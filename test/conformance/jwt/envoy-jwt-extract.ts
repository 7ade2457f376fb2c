/** Which tokens of a request each issuer's rule looks at, and which fields go when they do (JWT-11..JWT-14, JWT-70). */

import { join } from "node:path";
import {
  STANDARD_LOCATIONS,
  type TokenLocations,
} from "../../../src/api/request-authentication.ts";
import { fieldName } from "../../../src/http/field-ranges.ts";
import { findTokens } from "../../../src/jwt/token-places.ts";
import {
  type TokenCarrier,
  takeOut,
  tokenBearer,
} from "../../../src/proxy/token-places-in-request.ts";
import { heldFields } from "../../kit/recorded-answer.ts";
import { readJson } from "../networkpolicy.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type ExtractCase = ConformanceCase & {
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  /** As a set: the file is of an Envoy that had another order. No issuers: not told whose. */
  readonly expected: readonly { readonly token: string; readonly issuers?: readonly string[] }[];
  readonly headerRemovedWhenTokenIsRemoved?: string;
};

interface Provider {
  readonly issuer: string;
  readonly fromHeaders?: readonly { readonly name: string; readonly prefix?: string }[];
  readonly fromParams?: readonly string[];
}

export const envoyJwtExtract: TableRunner = table<ExtractCase>({
  fields: ["headers", "path", "expected", "headerRemovedWhenTokenIsRemoved"],
  run({ headers, path, expected, headerRemovedWhenTokenIsRemoved: removed }, folder) {
    const { providers } = readJson<{ providers: readonly Provider[] }>(
      join(folder, "envoy-jwt-extract.json"),
    );
    const carrier = { headers: heldFields(lowerCase(headers)), path };
    const before = namesOf(carrier);
    const issuersOf = extract(carrier, providers);
    const left = namesOf(carrier);
    const gone = before.filter((name) => !left.includes(name));
    const told = new Map(expected.map(({ token, issuers }) => [token, issuers]));
    const all = [...issuersOf].map(([token, issuers]): [string, readonly string[] | undefined] => [
      token,
      told.has(token) && told.get(token) === undefined ? undefined : [...issuers],
    ]);
    return compare({
      expected: inWords([...told], removed && [removed.toLowerCase()]),
      got: inWords(all, removed && gone),
    });
  },
});

function inWords(
  tokens: readonly (readonly [token: string, issuers: readonly string[] | undefined])[],
  removed: readonly string[] | "" | undefined,
): string {
  const found = tokens.map(([token, issuers]) => `${token} of ${issuers ?? "somebody"}`).sort();
  return removed ? `tokens ${found}; without ${removed}` : `tokens ${found}`;
}

/** Each token's issuers; it is taken out of the request afterwards. */
function extract(
  carrier: TokenCarrier,
  providers: readonly Provider[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const issuersOf = new Map<string, Set<string>>();
  const bearer = tokenBearer(carrier);
  const all = providers.flatMap((provider) =>
    findTokens(placesOf(provider), bearer).map((found) => ({ found, issuer: provider.issuer })),
  );
  for (const { found, issuer } of all) {
    issuersOf.set(found.text, (issuersOf.get(found.text) ?? new Set()).add(issuer));
    takeOut(carrier, found);
  }
  return issuersOf;
}

function placesOf({ fromHeaders = [], fromParams = [] }: Provider): TokenLocations {
  if (fromHeaders.length === 0 && fromParams.length === 0) return STANDARD_LOCATIONS;
  const headers = fromHeaders.map(({ name, prefix = "" }) => ({ name, prefix }));
  return { headers, params: fromParams, cookies: [] };
}

function lowerCase(headers: ExtractCase["headers"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function namesOf({ headers }: TokenCarrier): readonly string[] {
  return Array.from({ length: headers.count }, (_, index) => fieldName(headers, index));
}
