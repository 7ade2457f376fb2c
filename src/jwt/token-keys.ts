/** Keys that tokens are verified with, out of a JSON Web Key Set (RFC 7517): what is no good key for it is left out. */
import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import type { TokenAlgorithm } from "./read-token.ts";
import { type JsonObject, readJsonObject } from "./strict-json.ts";
import { isWeakRsaKey } from "./weak-rsa-key.ts";

export interface TokenKey {
  readonly keyId: string | undefined;
  /** What it may verify: an RSA key does never verify as if it were a secret (JWT-30). */
  readonly algorithms: readonly TokenAlgorithm[];
  readonly key: KeyObject;
}

/** Keys looked at; a request makes us try several. */
const MAX_KEYS = 256;
/** RFC 7518 section 3.3; Envoy's library knows no bound, and stays slow for longer ones. */
const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 8_192;
/** Octets, for HS256, 384 and 512: a secret must not be shorter than the hash (RFC 7518 section 3.2). */
const MIN_SECRET_OCTETS = { HS256: 32, HS384: 48, HS512: 64 } as const;

const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;
const CURVES: Readonly<Record<string, TokenAlgorithm>> = {
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
};

/** @returns none when it is no key set, or has no good key */
export function readTokenKeys(jwks: string): readonly TokenKey[] {
  const keys = readJsonObject(jwks)?.["keys"];
  if (!Array.isArray(keys)) return [];
  const read = keys.slice(0, MAX_KEYS).flatMap((key: unknown) => readKey(key) ?? []);
  const isPublic = read.some(({ key }) => key.type === "public");
  // A secret among public keys is known to everybody who has verified a token.
  return isPublic ? read.filter(({ key }) => key.type === "public") : read;
}

function readKey(value: unknown): TokenKey | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const written: JsonObject = { ...value };
  const { kid, alg } = written;
  if (kid !== undefined && typeof kid !== "string") return undefined;
  if (alg !== undefined && typeof alg !== "string") return undefined;
  if (!mayVerify(written)) return undefined;
  const key = importKey(written);
  if (key === undefined) return undefined;
  const algorithms = algorithmsOf(written, key).filter((one) => alg === undefined || one === alg);
  return algorithms.length === 0 ? undefined : { keyId: kid, algorithms, key };
}

/** RFC 7517 sections 4.2 and 4.3 */
function mayVerify({ use, key_ops: operations }: JsonObject): boolean {
  if (use !== undefined && use !== "sig") return false;
  if (operations === undefined) return true;
  return Array.isArray(operations) && operations.includes("verify");
}

function importKey(written: JsonObject): KeyObject | undefined {
  try {
    if (written["kty"] !== "oct")
      return createPublicKey({ key: publicPart(written), format: "jwk" });
    const { k } = written;
    return typeof k === "string" ? createSecretKey(k, "base64url") : undefined;
  } catch {
    return undefined;
  }
}

function publicPart({ kty, n, e, crv, x, y }: JsonObject): JsonWebKey {
  const members = Object.entries({ kty, n, e, crv, x, y });
  return Object.fromEntries(members.filter(([, value]) => typeof value === "string"));
}

function algorithmsOf(written: JsonObject, key: KeyObject): readonly TokenAlgorithm[] {
  const { crv } = written;
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
      const isBounded = modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS;
      return isBounded && !isWeakRsaKey(key) ? RSA : [];
    }
    case "ec": {
      const algorithm = typeof crv === "string" ? CURVES[crv] : undefined;
      return algorithm === undefined ? [] : [algorithm];
    }
    case "ed25519":
      return ["EdDSA"];
    case undefined:
      return secretAlgorithms(key);
    default:
      return [];
  }
}

function secretAlgorithms({ symmetricKeySize = 0 }: KeyObject): readonly TokenAlgorithm[] {
  return (["HS256", "HS384", "HS512"] as const).filter(
    (algorithm) => symmetricKeySize >= MIN_SECRET_OCTETS[algorithm],
  );
}
