/** JWT-SVID: a token that proves a SPIFFE id. Standard: https://spiffe.io/docs/latest/spiffe-specs/jwt-svid */
import type { KeyObject } from "node:crypto";
import { type Claims, readUnverified, verifySignature } from "../jwt/verify-signature.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { parseSpiffeId, type SpiffeId, trustDomainOf } from "./spiffe-id.ts";

/** Longest token looked at, in characters. */
export const MAX_JWT_SVID_CHARACTERS = 65_536;
/** JWT-SVID section 3.1: asymmetric ones alone. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512"],
  ...["ES256", "ES384", "ES512"],
  ...["PS256", "PS384", "PS512"],
];
/** JWT-SVID section 2.3; it may also be absent. */
const TYPES = ["JWT", "JOSE"];
/** How far the clock of whoever signed may be ahead. The end of a token is kept to the second. */
const CLOCK_TOLERANCE_MS = 5_000;

/** A token that is no JWT-SVID, or none for us. Its message never holds the token. */
export class JwtSvidError extends HauberkError {
  readonly code = "HAUBERK_JWT_SVID";
}

/** Public keys by their key ids, by the name of the trust domain that signs with them. */
export type JwtAuthorities = ReadonlyMap<string, ReadonlyMap<string, KeyObject>>;

export interface JwtSvidExpectations {
  /** The token must be for one of these. "any": for whoever it is, as when a workload looks at its own. */
  readonly audience: readonly string[] | "any";
  readonly bundles: JwtAuthorities;
  readonly now: Date;
}

export interface JwtSvid {
  readonly id: SpiffeId;
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  readonly claims: Claims;
}

/**
 * Verified against the keys of the trust domain in its subject, and no others (JWT-SVID section 6.2).
 *
 * @throws JwtSvidError
 */
export async function validateJwtSvid(
  token: string,
  { audience, bundles, now }: JwtSvidExpectations,
): Promise<JwtSvid> {
  if (token.length > MAX_JWT_SVID_CHARACTERS)
    throw new JwtSvidError(`the token is longer than ${MAX_JWT_SVID_CHARACTERS} characters`);
  const { algorithm = "", type, keyId, claims } = readUnverifiedSvid(token);
  if (!ALGORITHMS.includes(algorithm))
    throw new JwtSvidError("the token is not signed with an algorithm of JWT-SVIDs");
  if (type !== undefined && !TYPES.includes(type))
    throw new JwtSvidError("the token's type is neither JWT nor JOSE");
  const svid = readClaims(claims, now);
  if (audience !== "any" && !audience.some((one) => svid.audience.includes(one)))
    throw new JwtSvidError("the token is for another audience");
  const publicKey = findKey(trustDomainOf(svid.id), { keyId, bundles });
  await verifySvidSignature(token, { publicKey, algorithm });
  return svid;
}

function readUnverifiedSvid(token: string): ReturnType<typeof readUnverified> {
  try {
    return readUnverified(token);
  } catch (cause) {
    throw new JwtSvidError(describeError(cause));
  }
}

async function verifySvidSignature(
  token: string,
  { publicKey, algorithm }: { readonly publicKey: KeyObject; readonly algorithm: string },
): Promise<void> {
  try {
    await verifySignature(token, { publicKey, algorithms: [algorithm] });
  } catch (cause) {
    throw new JwtSvidError(describeError(cause));
  }
}

function findKey(
  trustDomain: string,
  { keyId, bundles }: { readonly keyId: string | undefined; readonly bundles: JwtAuthorities },
): KeyObject {
  if (keyId === undefined || keyId === "") throw new JwtSvidError("the token names no key");
  const keys = bundles.get(trustDomain);
  if (keys === undefined)
    throw new JwtSvidError(`there is no bundle of the trust domain ${trustDomain}`);
  const key = keys.get(keyId);
  if (key === undefined)
    throw new JwtSvidError(`the bundle of ${trustDomain} has no key ${JSON.stringify(keyId)}`);
  return key;
}

/** JWT-SVID section 3: `sub`, `aud` and `exp` are required. */
function readClaims(claims: Claims, now: Date): JwtSvid {
  const id = readSubject(claims["sub"]);
  const audience = readAudience(claims["aud"]);
  const end = readInstant(claims, "exp");
  if (end === undefined) throw new JwtSvidError('the token has no claim "exp"');
  if (now.getTime() >= end) throw new JwtSvidError("the token has expired");
  for (const name of ["nbf", "iat"]) {
    const start = readInstant(claims, name) ?? 0;
    if (start > now.getTime() + CLOCK_TOLERANCE_MS)
      throw new JwtSvidError("the token is not valid yet");
  }
  return { id, audience, expiresAt: new Date(end), claims };
}

function readSubject(subject: unknown): SpiffeId {
  if (typeof subject !== "string" || subject === "")
    throw new JwtSvidError('the token has no claim "sub"');
  try {
    return parseSpiffeId(subject);
  } catch (cause) {
    throw new JwtSvidError("the token's subject is not acceptable", { cause });
  }
}

function readAudience(claim: unknown): readonly string[] {
  const audience: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const texts = audience.filter((one) => typeof one === "string" && one !== "") as string[];
  if (texts.length === 0 || texts.length < audience.length)
    throw new JwtSvidError('the token\'s claim "aud" is not a list of audiences');
  return texts;
}

/** @returns milliseconds since the epoch; undefined when the claim is absent */
function readInstant(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new JwtSvidError(`the token's claim "${name}" is not a time`);
  return value * 1000;
}
