/** Signature algorithms by their exact DER: SHA-2 only; MD5 and SHA-1 are simply not in the table (QK-33). */
import type { KeyObject } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { AcceptedKeyType } from "./public-key.ts";

/** A private key of a type that the mesh does not sign with. */
export class UnsupportedSigningKeyError extends HauberkError {
  readonly code = "HAUBERK_UNSUPPORTED_SIGNING_KEY";
}

export type SignatureHash = "sha256" | "sha384" | "sha512";

/** AlgorithmIdentifiers (RFC 5758 section 3.2, RFC 8017 appendix A). */
const ENCODED = {
  ecdsaSha256: "300a06082a8648ce3d040302",
  ecdsaSha384: "300a06082a8648ce3d040303",
  ecdsaSha512: "300a06082a8648ce3d040304",
  rsaSha256: "300d06092a864886f70d01010b0500",
  rsaSha384: "300d06092a864886f70d01010c0500",
  rsaSha512: "300d06092a864886f70d01010d0500",
};

interface Row {
  readonly family: "EC" | "RSA";
  readonly hash: SignatureHash;
  readonly encoded: string;
}

const ROWS: readonly Row[] = [
  { family: "EC", hash: "sha256", encoded: ENCODED.ecdsaSha256 },
  { family: "EC", hash: "sha384", encoded: ENCODED.ecdsaSha384 },
  { family: "EC", hash: "sha512", encoded: ENCODED.ecdsaSha512 },
  { family: "RSA", hash: "sha256", encoded: ENCODED.rsaSha256 },
  { family: "RSA", hash: "sha384", encoded: ENCODED.rsaSha384 },
  { family: "RSA", hash: "sha512", encoded: ENCODED.rsaSha512 },
];

/**
 * @param encoded DER of an AlgorithmIdentifier
 * @returns undefined when the algorithm is not accepted for such a key
 */
export function hashOfSignature(
  encoded: Buffer,
  keyType: AcceptedKeyType,
): SignatureHash | undefined {
  const family = keyType === "RSA" ? "RSA" : "EC";
  const wanted = encoded.toString("hex");
  return ROWS.find((row) => row.family === family && row.encoded === wanted)?.hash;
}

/**
 * What to sign with such a key (CA-16: the algorithm follows the authority's key).
 *
 * @throws UnsupportedSigningKeyError
 */
export function signatureOfKey(key: KeyObject): { hash: SignatureHash; encoded: Buffer } {
  const { hash, encoded } = rowOfKey(key);
  return { hash, encoded: Buffer.from(encoded, "hex") };
}

function rowOfKey(key: KeyObject): Omit<Row, "family"> {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === "rsa") return { hash: "sha256", encoded: ENCODED.rsaSha256 };
  if (curve === "prime256v1") return { hash: "sha256", encoded: ENCODED.ecdsaSha256 };
  if (curve === "secp384r1") return { hash: "sha384", encoded: ENCODED.ecdsaSha384 };
  throw new UnsupportedSigningKeyError("a signing key must be P-256, P-384 or RSA");
}
