/** `match` of a route of a VirtualService. What the schema and the webhook have checked is taken for granted. */
import type { Fields } from "../decoder.ts";
import { linearPattern } from "../linear-pattern.ts";
import { isText, numberIn, textIn } from "../webhook/written-values.ts";
import type { ClaimMatch, HttpMatch, NamedMatch, PathMatch, TextMatch } from "./http-match.ts";
import { routingClaim } from "./routing-claim.ts";

/** @param match one item of `match`; who it is for is another's matter */
export function httpMatch(match: Fields): HttpMatch {
  const path = pathMatch(match);
  const wanted = namedMatches(match, "headers");
  const unwanted = namedMatches(match, "withoutHeaders");
  const headers = [
    ...wanted.filter(isHeader).map(lowerCased),
    ...unwanted.filter(isHeader).map((one): NamedMatch => ({ ...lowerCased(one), not: true })),
  ];
  const claims = [
    ...wanted.flatMap(claimMatch),
    ...unwanted.flatMap((one) =>
      claimMatch(one).map((claim): ClaimMatch => ({ ...claim, not: true })),
    ),
  ];
  const queryParams = namedMatches(match, "queryParams");
  const port = numberIn(match, "port");
  return {
    ...(path && { path }),
    ...textMatchAt(match, "method"),
    ...textMatchAt(match, "authority"),
    ...textMatchAt(match, "scheme"),
    ...(headers.length > 0 && { headers }),
    ...(queryParams.length > 0 && { queryParams }),
    ...(claims.length > 0 && { claims }),
    ...(port > 0 && { port }),
  };
}

/**
 * A string match; one that says nothing, or the regular expression `*`, is for any value that is there.
 *
 * @param fields the map with `exact`, `prefix` or `regex`
 */
export function textMatch(fields: Fields): TextMatch | "present" {
  if (isText(fields, "exact")) return { kind: "exact", text: textIn(fields, "exact") };
  if (isText(fields, "prefix")) return { kind: "prefix", text: textIn(fields, "prefix") };
  if (!isText(fields, "regex") || textIn(fields, "regex") === "*") return "present";
  return { kind: "pattern", pattern: patternIn(fields, "regex") };
}

/** RE2 knows a little more than is matched here, and a route half understood would lead elsewhere. */
export function patternIn(fields: Fields, name: string): string {
  const pattern = textIn(fields, name);
  const compiled = linearPattern(pattern);
  if (typeof compiled === "string") {
    fields.report(name, `cannot be matched here: the regular expression ${compiled}`);
  }
  return pattern;
}

function textMatchAt<Name extends "method" | "authority" | "scheme">(
  match: Fields,
  name: Name,
): { readonly [name in Name]?: TextMatch } {
  if (!match.has(name)) return {};
  const value = textMatch(match.section(name));
  return value === "present" ? {} : ({ [name]: value } as { readonly [name in Name]: TextMatch });
}

function pathMatch(match: Fields): PathMatch | undefined {
  const value = match.has("uri") ? textMatch(match.section("uri")) : "present";
  if (value === "present") return undefined;
  if (value.kind === "pattern") return value;
  const ignored = match.flag("ignoreUriCase", "off");
  return { kind: value.kind, path: value.text, ...(ignored && { letterCase: "ignored" }) };
}

function namedMatches(
  match: Fields,
  field: "headers" | "withoutHeaders" | "queryParams",
): readonly NamedMatch[] {
  const section = match.section(field);
  return section.names().map((name) => ({ name, value: textMatch(section.section(name)) }));
}

function isHeader({ name }: NamedMatch): boolean {
  return routingClaim(name) === undefined;
}

function lowerCased(named: NamedMatch): NamedMatch {
  return { ...named, name: named.name.toLowerCase() };
}

function claimMatch({ name, value }: NamedMatch): readonly ClaimMatch[] {
  const claim = routingClaim(name);
  return claim === undefined ? [] : [{ claim: claim.path, value }];
}
