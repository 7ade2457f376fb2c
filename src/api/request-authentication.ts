/**
 * RequestAuthentication: the tokens of end users that a workload knows how to verify (JWT-1..JWT-10).
 * Source: https://istio.io/latest/docs/reference/config/security/request_authentication/
 */
import type { TargetRef } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { readKeySet } from "./json-web-key-set.ts";
import { workloadSelector } from "./label-selector.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { targetRefs } from "./target-refs.ts";
import { parseDuration } from "./webhook/duration.ts";
import { textIn } from "./webhook/written-values.ts";

export interface RequestAuthentication {
  readonly kind: "RequestAuthentication";
  readonly meta: ResourceMeta;
  readonly selector: Labels;
  /** A resource with targetRefs never applies to a sidecar (JWT-2). */
  readonly targetRefs: readonly TargetRef[];
  readonly rules: readonly JwtRule[];
}

/** One issuer, where its tokens are found, and what becomes of them. */
export interface JwtRule {
  /** Line in the file, from 1. */
  readonly line: number;
  /** "" accepts any issuer (JWT-17). */
  readonly issuer: string;
  /** Empty accepts any audience (JWT-33). */
  readonly audiences: readonly string[];
  readonly keys: KeySource;
  readonly locations: TokenLocations | "standard";
  /** Whether the application sees the token too (JWT-70). */
  readonly forwardOriginalToken: boolean;
  /** Header that carries the payload on (JWT-72). */
  readonly outputPayloadToHeader?: string;
  /** JWT-73 */
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  /** How long fetching keys may take, in milliseconds (JWT-77). */
  readonly timeoutMs: number;
  /** Whether a request without a token is refused; Istio does not heed it (JWT-9). */
  readonly presence: TokenPresence;
  /** Claims that are lists in one text, besides `scope` and `permission` (JWT-65). */
  readonly spaceDelimitedClaims: readonly string[];
}

/** Where the keys come from: written here, fetched, or found by asking the issuer (JWT-80). */
export type KeySource =
  | { readonly from: "inline" /** Nothing private is in it (JWT-87). */; readonly jwks: string }
  | { readonly from: "uri"; readonly uri: string }
  | { readonly from: "issuer" };

/** Where tokens are looked for; "standard" is `Authorization: Bearer` and the parameter `access_token` (JWT-11). */
export interface TokenLocations {
  readonly headers: readonly { readonly name: string; readonly prefix: string }[];
  readonly params: readonly string[];
  readonly cookies: readonly string[];
}

/** JWT-11 */
export const STANDARD_LOCATIONS: TokenLocations = {
  headers: [{ name: "Authorization", prefix: "Bearer " }],
  params: ["access_token"],
  cookies: [],
};

export interface ClaimToHeader {
  readonly header: string;
  readonly claim: string;
}

export const TOKEN_PRESENCES = ["OPTIONAL", "REQUIRED"] as const;
export type TokenPresence = (typeof TOKEN_PRESENCES)[number];

const DEFAULT_TIMEOUT_MS = 5_000;
const NANOSECONDS_PER_MS = 1e6;

/** The field has two names, of which one is older; "" when absent. */
export function jwksUriOf(rule: Fields): string {
  return textIn(rule, "jwksUri") || textIn(rule, "jwks_uri");
}

export function requestAuthentication(meta: ResourceMeta, root: Fields): RequestAuthentication {
  const spec = root.section("spec");
  return {
    kind: "RequestAuthentication",
    meta,
    selector: workloadSelector(spec),
    targetRefs: targetRefs(spec),
    rules: spec.list("jwtRules").map(jwtRule),
  };
}

function jwtRule(rule: Fields): JwtRule {
  const payloadHeader = rule.text("outputPayloadToHeader");
  return {
    line: rule.line,
    issuer: rule.text("issuer") ?? "",
    audiences: rule.texts("audiences"),
    keys: keySource(rule),
    locations: locations(rule),
    forwardOriginalToken: rule.flag("forwardOriginalToken", "off"),
    ...(payloadHeader ? { outputPayloadToHeader: payloadHeader } : {}),
    outputClaimToHeaders: rule.list("outputClaimToHeaders").map((output) => ({
      header: output.text("header") ?? "",
      claim: output.text("claim") ?? "",
    })),
    timeoutMs: timeoutOf(rule),
    presence: rule.choice("presence", TOKEN_PRESENCES, "OPTIONAL"),
    spaceDelimitedClaims: rule.texts("spaceDelimitedClaims"),
  };
}

function keySource(rule: Fields): KeySource {
  const jwks = rule.text("jwks") ?? "";
  const written = jwks === "" ? "absent" : readKeySet(jwks);
  if (typeof written !== "string") return { from: "inline", jwks: written.verifyingJwks };
  const uri = jwksUriOf(rule);
  return uri === "" ? { from: "issuer" } : { from: "uri", uri };
}

function locations(rule: Fields): JwtRule["locations"] {
  const headers = rule.list("fromHeaders").map((header) => ({
    name: header.text("name") ?? "",
    prefix: header.text("prefix") ?? "",
  }));
  const params = rule.texts("fromParams");
  const cookies = rule.texts("fromCookies");
  const count = headers.length + params.length + cookies.length;
  return count === 0 ? "standard" : { headers, params, cookies };
}

function timeoutOf(rule: Fields): number {
  const timeout = parseDuration(textIn(rule, "timeout"));
  return timeout === undefined ? DEFAULT_TIMEOUT_MS : timeout / NANOSECONDS_PER_MS;
}
