/** The places of a request where tokens are looked for, and how a token is taken out of them (JWT-12, JWT-70). */
import type { FieldLookup } from "../http/field-lookup.ts";
import { fieldValue } from "../http/field-ranges.ts";
import { firstParam, withoutParam } from "../jwt/query-params.ts";
import type { FoundToken, TokenBearer } from "../jwt/token-places.ts";
import type { HeldFields } from "./http/held-fields.ts";
import { lookupOf } from "./http/known-lookups.ts";

/** What is read and changed of a request. */
export interface TokenCarrier {
  readonly headers: HeldFields;
  path: string;
}

export function tokenBearer({ headers, path }: TokenCarrier): TokenBearer {
  // Most rules ask for the same one, and a stranger chooses how many there are.
  let params: Map<string, string | undefined> | undefined;
  const param = (name: string): string | undefined => {
    if (!path.includes("?")) return undefined;
    params ??= new Map();
    if (params.has(name)) return params.get(name);
    const value = firstParam(path, name);
    params.set(name, value);
    return value;
  };
  return {
    // What is for this hop only is nobody's token: no application hears of it.
    values: (name) => (headers.isNamedByConnection(name) ? [] : valuesOf(headers, lookupOf(name))),
    param,
  };
}

/** Cookies stay as they are, as with Envoy. */
export function takeOut(carrier: TokenCarrier, { place }: FoundToken): void {
  if (place.in === "header") carrier.headers.remove(place.name);
  else if (place.in === "param") carrier.path = withoutParam(carrier.path, place.name);
}

function valuesOf(fields: HeldFields, lookup: FieldLookup): readonly string[] {
  const values: string[] = [];
  for (let at = lookup.find(fields); at >= 0; at = lookup.find(fields, at + 1))
    values.push(fieldValue(fields, at));
  return values;
}
