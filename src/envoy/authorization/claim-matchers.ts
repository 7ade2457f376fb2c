/**
 * What is asked of a verified token, as it lies in the metadata that `jwt_authn` leaves: its payload under the key
 * `payload` (JWT-60..JWT-64).
 */
import { ANY_TEXT, type StringMatcher, stringMatcher } from "./string-matchers.ts";

/** envoy.type.matcher.v3.ValueMatcher: what of it is said here. */
export interface ValueMatcher {
  readonly stringMatch?: StringMatcher;
  readonly listMatch?: { readonly oneOf: ValueMatcher };
  readonly orMatch?: { readonly valueMatchers: readonly ValueMatcher[] };
}

/** A value at a place in dynamic metadata. */
export interface MetadataDemand {
  readonly filter: string;
  /** Keys, from the outermost inwards. */
  readonly path: readonly string[];
  readonly value: ValueMatcher;
}

const TOKEN_FILTER = "envoy.filters.http.jwt_authn";
const PAYLOAD = "payload";

/** A claim that is a text, or a list of texts, one of which is meant. */
export function claimDemand(
  names: readonly string[],
  values: readonly string[],
  anyText: StringMatcher = ANY_TEXT,
): MetadataDemand {
  const value = orMatcher(values.map((one) => ({ stringMatch: stringMatcher(one, anyText) })));
  return {
    filter: TOKEN_FILTER,
    path: [PAYLOAD, ...names],
    value: { orMatch: { valueMatchers: [{ listMatch: { oneOf: value } }, value] } },
  };
}

/** Both must be met: `iss` and `sub`. An issuer may be a URL, so that the last slash is the one that divides (JWT-60). */
export function requestPrincipalDemands(
  value: string,
  anyText: StringMatcher = ANY_TEXT,
): readonly MetadataDemand[] {
  const { issuer, subject } = dividedPrincipal(value, anyText);
  return [textClaim("iss", issuer), textClaim("sub", subject)];
}

/** AP-95: `[v]` asks whether a list contains v. */
export function filterMetadataDemand(
  place: { readonly filter: string; readonly key: string },
  values: readonly string[],
): MetadataDemand {
  const matchers = values.map((value): ValueMatcher => {
    if (!value.startsWith("[") || !value.endsWith("]"))
      return { stringMatch: stringMatcher(value) };
    const text = value.replace(/^[[\]]+|[[\]]+$/g, "");
    return { listMatch: { oneOf: { stringMatch: stringMatcher(text) } } };
  });
  return { filter: place.filter, path: [place.key], value: orMatcher(matchers) };
}

function orMatcher(matchers: readonly ValueMatcher[]): ValueMatcher {
  const [only, ...others] = matchers;
  return only !== undefined && others.length === 0
    ? only
    : { orMatch: { valueMatchers: matchers } };
}

function textClaim(name: string, stringMatch: StringMatcher): MetadataDemand {
  return { filter: TOKEN_FILTER, path: [PAYLOAD, name], value: { stringMatch } };
}

interface DividedPrincipal {
  readonly issuer: StringMatcher;
  readonly subject: StringMatcher;
}

function dividedPrincipal(value: string, anyText: StringMatcher): DividedPrincipal {
  const slash = value.lastIndexOf("/");
  if (slash < 0) return undividedPrincipal(value, anyText);
  const [issuer, subject] = [value.slice(0, slash), value.slice(slash + 1)];
  if (value.startsWith("*"))
    return { issuer: stringMatcher(issuer, anyText), subject: { exact: subject } };
  return {
    issuer: { exact: issuer },
    subject: value.endsWith("*") ? subjectPrefix(subject, anyText) : { exact: subject },
  };
}

/** After an issuer only a `*` at the end is one. */
function subjectPrefix(subject: string, anyText: StringMatcher): StringMatcher {
  return subject === "*" ? anyText : { prefix: subject.slice(0, -1) };
}

function undividedPrincipal(value: string, anyText: StringMatcher): DividedPrincipal {
  if (value.startsWith("*")) return { issuer: anyText, subject: stringMatcher(value, anyText) };
  if (value.endsWith("*")) return { issuer: stringMatcher(value), subject: anyText };
  return { issuer: { exact: value }, subject: { exact: "" } };
}
