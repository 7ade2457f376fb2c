/** Whether one certificate is signed by another: by name, by key identifier, by the signature itself. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { authorityKeyIdentifier, subjectKeyIdentifier } from "./certificate-extensions.ts";
import { certificateProfile } from "./certificate-profile.ts";
import { type AcceptedKeyType, parsePublicKey } from "./public-key.ts";
import { hashOfSignature } from "./signature-algorithm.ts";

export const NOT_ISSUED_BY = "is not issued by";

/**
 * Why a certificate is not signed by `issuer`, in words that stand before the issuer's name: "is not issued by".
 *
 * @returns undefined when it is, with an algorithm that is accepted
 * @throws InvalidDerError
 */
export function signatureProblem(
  certificate: X509Certificate,
  issuer: X509Certificate,
): string | undefined {
  const [below, above] = [certificateProfile(certificate), certificateProfile(issuer)];
  if (!below.issuer.equals(above.subject)) return NOT_ISSUED_BY;
  const named = authorityKeyIdentifier(below.extensions);
  const own = subjectKeyIdentifier(above.extensions);
  if (named !== undefined && own !== undefined && !named.equals(own))
    return "names another key, by its authorityKeyIdentifier, than that of";
  if (!certificate.verify(issuer.publicKey)) return "has a signature that is not that of";
  const keyType = keyTypeOf(issuer.publicKey);
  if (keyType === undefined || hashOfSignature(below.signatureAlgorithm, keyType) === undefined)
    return "is signed with an algorithm that is not accepted (SHA-2 with P-256, P-384 or RSA of 2048 to 8192 bits are) by";
  return undefined;
}

/** @returns undefined for a key that no mesh uses */
export function keyTypeOf(publicKey: KeyObject): AcceptedKeyType | undefined {
  try {
    return parsePublicKey(publicKey.export({ type: "spki", format: "der" })).keyType;
  } catch {
    return undefined;
  }
}
