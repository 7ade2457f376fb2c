/** Signs a JWT whose verifier chooses among several keys: its header names the one it was signed with. */
import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";

export interface AddressedClaims {
  readonly subject: string;
  readonly audience: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/**
 * ES256; without an issuer and a token id, which JWT-SVIDs need not have.
 *
 * @returns compact serialization
 */
export async function signWithKeyId(
  { subject, audience, issuedAt, expiresAt }: AddressedClaims,
  { keyId, privateKey }: { readonly keyId: string; readonly privateKey: KeyObject },
): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: keyId })
    .setSubject(subject)
    .setAudience([...audience])
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(privateKey);
}
