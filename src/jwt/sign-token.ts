/** Signs JWTs (RFC 7519) with ES256: the one algorithm our own tokens use. */
import type { KeyObject } from "node:crypto";
import { type JWTPayload, SignJWT } from "jose";

/** Claims beyond the registered ones are copied as they are. */
export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  readonly id: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly further: Readonly<Record<string, unknown>>;
}

/** @returns compact serialization; valid from `issuedAt` on */
export async function signToken(claims: TokenClaims, privateKey: KeyObject): Promise<string> {
  const further: JWTPayload = { ...claims.further };
  return new SignJWT(further)
    .setProtectedHeader({ alg: "ES256", typ: "JWT" })
    .setIssuer(claims.issuer)
    .setSubject(claims.subject)
    .setAudience([...claims.audience])
    .setJti(claims.id)
    .setIssuedAt(claims.issuedAt)
    .setNotBefore(claims.issuedAt)
    .setExpirationTime(claims.expiresAt)
    .sign(privateKey);
}
