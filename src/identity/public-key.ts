/** Which keys may be certified: those that every peer of a mesh, Envoy included, can verify. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  DER_TAG,
  type DerElement,
  expectTag,
  InvalidDerError,
  readBitString,
  readChildren,
  readDer,
} from "./der.ts";
import { isInteger } from "./strict-der.ts";

/** Envoy refuses client certificates with P-521 or Ed25519 keys, so these are not issued. */
export type AcceptedKeyType = "P-256" | "P-384" | "RSA";

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65_537n;
const MAX_RSA_EXPONENT = 2n ** 32n;
const UNCOMPRESSED = 0x04;

/** The exact AlgorithmIdentifier of each: curves only by name, never by explicit parameters (RFC 5480, RFC 3279). */
const ALGORITHMS: Readonly<Record<AcceptedKeyType, string>> = {
  "P-256": "301306072a8648ce3d020106082a8648ce3d030107",
  "P-384": "301006072a8648ce3d020106052b81040022",
  RSA: "300d06092a864886f70d0101010500",
};
const TYPES: readonly AcceptedKeyType[] = ["P-256", "P-384", "RSA"];

/** Bytes of one coordinate. */
const COORDINATE_BYTES = { "P-256": 32, "P-384": 48 } as const;

/** A public key of a type or size that the mesh does not use. */
export class UnacceptableKeyError extends HauberkError {
  readonly code = "HAUBERK_UNACCEPTABLE_KEY";
}

/** DER that keys were parsed from: to export them again costs more than a signature. */
const PARSED_FROM = new WeakMap<KeyObject, Buffer>();

/**
 * Reads a stranger's key. Sizes are looked at before the cryptographic library sees a byte.
 *
 * @param publicKeyInfo DER of a SubjectPublicKeyInfo
 * @throws UnacceptableKeyError, InvalidDerError
 */
export function parsePublicKey(publicKeyInfo: Buffer): {
  publicKey: KeyObject;
  keyType: AcceptedKeyType;
} {
  const [algorithm, bits, ...rest] = readChildren(readDer(publicKeyInfo), DER_TAG.sequence);
  if (rest.length > 0) throw new InvalidDerError("the public key has too many fields");
  const keyType = typeOfAlgorithm(algorithm);
  const contents = readBitString(bits);
  const publicKey =
    keyType === "RSA" ? rsaKey(contents, publicKeyInfo) : ellipticKey(contents, keyType);
  PARSED_FROM.set(publicKey, Buffer.from(publicKeyInfo));
  return { publicKey, keyType };
}

/** DER of the SubjectPublicKeyInfo. */
export function publicKeyInfoOf(key: KeyObject): Buffer {
  return PARSED_FROM.get(key) ?? key.export({ type: "spki", format: "der" });
}

/** Of the SubjectPublicKeyInfo, lower-case hexadecimal. */
export function publicKeySha256(key: KeyObject): string {
  return createHash("sha256").update(publicKeyInfoOf(key)).digest("hex");
}

function typeOfAlgorithm(algorithm: DerElement | undefined): AcceptedKeyType {
  const encoded = expectTag(algorithm, DER_TAG.sequence).encoded.toString("hex");
  const type = TYPES.find((candidate) => ALGORITHMS[candidate] === encoded);
  if (type === undefined)
    throw new UnacceptableKeyError(
      "its key is of a kind that is not accepted: use P-256, P-384 or RSA",
    );
  return type;
}

/** Only the uncompressed form, which every reader knows. From coordinates, since the library's reader of DER is slower. */
function ellipticKey(point: Buffer, curve: "P-256" | "P-384"): KeyObject {
  const size = COORDINATE_BYTES[curve];
  if (point.length !== 1 + 2 * size || point[0] !== UNCOMPRESSED)
    throw new UnacceptableKeyError(`its ${curve} key is not an uncompressed point`);
  const x = point.toString("base64url", 1, 1 + size);
  const y = point.toString("base64url", 1 + size);
  try {
    return createPublicKey({ format: "jwk", key: { kty: "EC", crv: curve, x, y } });
  } catch (cause) {
    throw new UnacceptableKeyError(`its ${curve} key is not a point on the curve`, { cause });
  }
}

function rsaKey(contents: Buffer, publicKeyInfo: Buffer): KeyObject {
  const [modulus, exponent, ...rest] = readChildren(readDer(contents), DER_TAG.sequence).map(
    readPositive,
  );
  if (modulus === undefined || exponent === undefined || rest.length > 0)
    throw new InvalidDerError("the RSA key is not a modulus and an exponent");
  const [first = 0] = modulus;
  const bits = Math.max(0, modulus.length * 8 - (Math.clz32(first) - 24));
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    throw new UnacceptableKeyError(
      `its RSA key has ${bits} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are accepted`,
    );
  if (((modulus.at(-1) ?? 0) & 1) === 0)
    throw new UnacceptableKeyError("its RSA modulus is an even number");
  verifyExponent(exponent);
  return createPublicKey({ key: publicKeyInfo, format: "der", type: "spki" });
}

function verifyExponent(bytes: Buffer): void {
  const exponent = bytes.length > 8 ? MAX_RSA_EXPONENT + 1n : BigInt(`0x0${bytes.toString("hex")}`);
  if (exponent < MIN_RSA_EXPONENT || exponent > MAX_RSA_EXPONENT || exponent % 2n === 0n)
    throw new UnacceptableKeyError("its RSA exponent is not accepted");
}

/** @returns the bytes of a number, without the zero that keeps it positive */
function readPositive(element: DerElement): Buffer {
  const { contents } = expectTag(element, DER_TAG.integer);
  if (!isInteger(contents)) throw new InvalidDerError("an integer is not in its shortest form");
  const [first = 0x80] = contents;
  if (first >= 0x80) throw new InvalidDerError("an integer is negative");
  return first === 0 ? contents.subarray(1) : contents;
}
