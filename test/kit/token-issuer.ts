/** An issuer of tokens for one test: real keys, real signatures. */
import { generateKeyPairSync } from "node:crypto";
import { type JWTPayload, SignJWT } from "jose";

export interface TokenIssuer {
  /** Public keys as a JSON Web Key Set. */
  readonly jwks: string;
  /** ES256; `iss` is the issuer's unless the claims say otherwise. */
  sign(claims?: JWTPayload): Promise<string>;
}

export function tokenIssuer(name: string): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    jwks: JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }),
    sign: (claims = {}) =>
      new SignJWT({ iss: name, ...claims }).setProtectedHeader({ alg: "ES256" }).sign(privateKey),
  };
}
