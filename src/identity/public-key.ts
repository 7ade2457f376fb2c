/** Which keys may be certified: those that every peer of a mesh, Envoy included, can verify. */
import { createPublicKey } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { DER_TAG, expectTag, readChildren, readDer } from "./der.ts";

/** Envoy refuses client certificates with P-521 or Ed25519 keys, so these are not issued. */
export type AcceptedKeyType = "P-256" | "P-384" | "RSA";

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65_537n;
const MAX_RSA_EXPONENT = 2n ** 32n;

/** The exact AlgorithmIdentifier of each: curves only by name, never by explicit parameters (RFC 5480, RFC 3279). */
const ALGORITHMS: Readonly<Record<AcceptedKeyType, string>> = {
  "P-256": "301306072a8648ce3d020106082a8648ce3d030107",
  "P-384": "301006072a8648ce3d020106052b81040022",
  RSA: "300d06092a864886f70d0101010500",
};

/** A public key of a type or size that the mesh does not use. */
export class UnacceptableKeyError extends HauberkError {
  readonly code = "HAUBERK_UNACCEPTABLE_KEY";
}

/**
 * @param publicKeyInfo DER of a SubjectPublicKeyInfo
 * @throws UnacceptableKeyError
 */
export function acceptedKeyType(publicKeyInfo: Buffer): AcceptedKeyType {
  const [algorithm] = readChildren(readDer(publicKeyInfo), DER_TAG.sequence);
  const encoded = expectTag(algorithm, DER_TAG.sequence).encoded.toString("hex");
  const types: readonly AcceptedKeyType[] = ["P-256", "P-384", "RSA"];
  const type = types.find((candidate) => ALGORITHMS[candidate] === encoded);
  if (type === undefined)
    throw new UnacceptableKeyError(
      "its key is of a kind that is not accepted: use P-256, P-384 or RSA",
    );
  if (type === "RSA") checkRsa(publicKeyInfo);
  return type;
}

function checkRsa(publicKeyInfo: Buffer): void {
  const { asymmetricKeyDetails } = createPublicKey({
    key: publicKeyInfo,
    format: "der",
    type: "spki",
  });
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  const exponent = asymmetricKeyDetails?.publicExponent ?? 0n;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    throw new UnacceptableKeyError(
      `its RSA key has ${bits} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are accepted`,
    );
  if (exponent < MIN_RSA_EXPONENT || exponent > MAX_RSA_EXPONENT || exponent % 2n === 0n)
    throw new UnacceptableKeyError("its RSA exponent is not accepted");
}
