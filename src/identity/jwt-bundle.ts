/** The public keys of JWT-SVIDs as they travel: a JWKS (RFC 7517), as the SPIFFE Workload API hands it out. */
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Longest document read, in characters. */
const MAX_CHARACTERS = 262_144;
const MAX_KEYS = 64;
/** SPIFFE bundle section 4.2.2. */
const USE = "jwt-svid";

/** A document that is no set of JWT-SVID keys. */
export class JwtBundleError extends HauberkError {
  readonly code = "HAUBERK_JWT_BUNDLE";
}

/** @param keys public ones, by their key ids */
export function printJwtBundle(keys: ReadonlyMap<string, KeyObject>): string {
  const printed = [...keys].map(([kid, key]) => ({
    use: USE,
    kid,
    ...key.export({ format: "jwk" }),
  }));
  return JSON.stringify({ keys: printed });
}

/**
 * Keys of other uses are passed over (SPIFFE bundle section 4.2.2).
 *
 * @throws JwtBundleError
 */
export function parseJwtBundle(text: string): ReadonlyMap<string, KeyObject> {
  if (text.length > MAX_CHARACTERS)
    throw new JwtBundleError(`the bundle is longer than ${MAX_CHARACTERS} characters`);
  const keys = readKeys(text).filter((key) => key["use"] === USE || key["use"] === undefined);
  if (keys.length > MAX_KEYS) throw new JwtBundleError(`the bundle has more than ${MAX_KEYS} keys`);
  return new Map(keys.map((key) => [readKeyId(key), readKey(key)] as const));
}

function readKeys(text: string): readonly JsonWebKey[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new JwtBundleError("the bundle is not JSON", { cause });
  }
  const keys: unknown = isRecord(parsed) ? parsed["keys"] : undefined;
  if (!Array.isArray(keys) || !keys.every(isRecord))
    throw new JwtBundleError('the bundle has no list "keys"');
  return keys;
}

function readKeyId({ kid }: JsonWebKey): string {
  if (typeof kid === "string" && kid !== "") return kid;
  throw new JwtBundleError("a key of the bundle has no key id");
}

function readKey(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch (cause) {
    throw new JwtBundleError("a key of the bundle cannot be read", { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
