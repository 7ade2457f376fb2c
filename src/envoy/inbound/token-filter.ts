/** Tokens of end users, verified by Envoy's filter `jwt_authn` as istiod sets it up (JWT-1..JWT-81). */
import { isDeepStrictEqual } from "node:util";
import { STANDARD_LOCATIONS, type TokenLocations } from "../../api/request-authentication.ts";
import { ALWAYS_SPLIT } from "../../policy/token-payload.ts";
import type { AppliedTokenRule } from "../../policy/workload-view.ts";
import { type NetworkFilter, typeUrl } from "../envoy-json.ts";

const JWT_AUTHN = "envoy.filters.http.jwt_authn";
/** Where rules of policies look for claims, within the metadata of the filter (JWT-4). */
const PAYLOAD = "payload";
/**
 * In place of keys that could not be fetched, as Envoy wants one: no token is good, whoever signed it (JWT-83). Its `x` is
 * the SHA-256 hash of `NOBODYS_KEY_TEXT`, so that nobody can have chosen the point, or know the private half.
 */
const NOBODYS_KEY = {
  kty: "EC",
  crv: "P-256",
  alg: "ES256",
  x: "uOknodR5QRr8W8GbBrTeynn1I87A_MDM9dswsSTnTI4",
  y: "JekXZYall0g5WE40zPrtzYhwcz0EUmi6opXXleNZFTQ",
};
export const NOBODYS_KEY_TEXT = "hauberk: nobody has the private half of this key, 1";
export const NOBODYS_KEYS: string = JSON.stringify({ keys: [NOBODYS_KEY] });

/**
 * @param routes whether routes may ask about claims, so that they are chosen once a token is verified (JWT-76)
 * @returns nothing where no tokens are asked about
 */
export function tokenFilters(
  rules: readonly AppliedTokenRule[] = [],
  routes: "chosen by claims" | "fixed" = "fixed",
): readonly NetworkFilter[] {
  if (rules.length === 0) return [];
  const clearing = routes === "fixed" ? {} : { clearRouteCache: true };
  const providers = rules.map((rule, index) => [nameOf(index), { ...provider(rule), ...clearing }]);
  const settings: Readonly<Record<string, unknown>> = {
    providers: Object.fromEntries(providers),
    rules: [{ match: { prefix: "/" }, requires: requirement(rules) }],
    bypassCorsPreflight: true,
  };
  const type = typeUrl("envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication");
  return [{ name: JWT_AUTHN, typedConfig: { "@type": type, ...settings } }];
}

/** Headers that rules write, in lower case, each once. What clients say in them goes no further (JWT-74). */
export function tokenHeaders(rules: readonly AppliedTokenRule[] = []): readonly string[] {
  const names = rules.flatMap(({ outputPayloadToHeader, outputClaimToHeaders }) => [
    ...(outputPayloadToHeader === undefined ? [] : [outputPayloadToHeader]),
    ...outputClaimToHeaders.map(({ header }) => header),
  ]);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

function nameOf(index: number): string {
  return `origins-${index}`;
}

function provider(rule: AppliedTokenRule): object {
  const { issuer, audiences, locations, outputClaimToHeaders, outputPayloadToHeader } = rule;
  const { headers, params, cookies } = isStandard(locations) ? NOTHING_SAID : locations;
  return {
    ...(issuer !== "" && { issuer }),
    ...(audiences.length > 0 && { audiences }),
    localJwks: { inlineString: rule.jwks ?? NOBODYS_KEYS },
    forward: rule.afterwards === "forwarded",
    ...(headers.length > 0 && {
      fromHeaders: headers.map(({ name, prefix }) => ({ name, valuePrefix: prefix })),
    }),
    ...(params.length > 0 && { fromParams: params }),
    ...(cookies.length > 0 && { fromCookies: cookies }),
    ...(outputPayloadToHeader !== undefined && { forwardPayloadHeader: outputPayloadToHeader }),
    ...(outputClaimToHeaders.length > 0 && {
      claimToHeaders: outputClaimToHeaders.map(({ header, claim }) => ({
        headerName: header,
        claimName: claim,
      })),
    }),
    payloadInMetadata: PAYLOAD,
    normalizePayloadInMetadata: { spaceDelimitedClaims: spaceDelimitedClaims(rule) },
  };
}

/** JWT-11: where Envoy looks, too, when nothing is said. */
function isStandard(locations: TokenLocations): boolean {
  return isDeepStrictEqual(locations, STANDARD_LOCATIONS);
}

const NOTHING_SAID: TokenLocations = { headers: [], params: [], cookies: [] };

/** JWT-65: sorted, each once. */
function spaceDelimitedClaims(rule: AppliedTokenRule): readonly string[] {
  return [...new Set([...ALWAYS_SPLIT, ...rule.spaceDelimitedClaims])].sort();
}

/** Something that tokens must satisfy, as `envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement`. */
type Requirement =
  | { readonly providerName: string }
  | { readonly allowMissing: object }
  | { readonly allowMissingOrFailed: object }
  | { readonly requiresAny: { readonly requirements: readonly Requirement[] } }
  | { readonly requiresAll: { readonly requirements: readonly Requirement[] } };

const MISSING: Requirement = { allowMissing: {} };
const WHATEVER: Requirement = { allowMissingOrFailed: {} };

/** JWT-5, JWT-6, and JWT-9 where a rule demands its token: then one of those that do has to be good. */
function requirement(rules: readonly AppliedTokenRule[]): Requirement {
  const providers = rules.map((_, index): Requirement => ({ providerName: nameOf(index) }));
  const required = providers.filter((_, index) => rules[index]?.presence === "REQUIRED");
  if (required.length > 0) {
    const others = providers.filter((one) => !required.includes(one));
    return all([any(required), any([...others, WHATEVER])]);
  }
  const each = providers.map((one) => any([one, MISSING]));
  return each.length === 1 ? any([...providers, MISSING]) : any([...providers, all(each)]);
}

/** Envoy's lists have two at least. */
function any(requirements: readonly Requirement[]): Requirement {
  const [only] = requirements;
  return requirements.length === 1 && only ? only : { requiresAny: { requirements } };
}

function all(requirements: readonly Requirement[]): Requirement {
  const [only] = requirements;
  return requirements.length === 1 && only ? only : { requiresAll: { requirements } };
}
