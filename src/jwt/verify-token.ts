/** Verifies JWTs of an issuer whose key is at hand. ES256 only: the token does not choose how it is checked. */
import type { KeyObject } from "node:crypto";
import { errors, jwtVerify } from "jose";
import { describeError } from "../runtime/hauberk-error.ts";
import { InvalidTokenError } from "./invalid-token-error.ts";

/** Longest token looked at, in characters. */
export const MAX_TOKEN_CHARACTERS = 8_192;
/** Seconds that the clocks of issuer and verifier may differ. */
const CLOCK_TOLERANCE_SECONDS = 5;

export interface TokenExpectations {
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly audience: string;
  readonly now: Date;
}

/**
 * @returns the claims of a token that is signed, current, and meant for us
 * @throws InvalidTokenError
 */
export async function verifyToken(
  token: string,
  { publicKey, issuer, audience, now }: TokenExpectations,
): Promise<Readonly<Record<string, unknown>>> {
  if (token.length > MAX_TOKEN_CHARACTERS)
    throw new InvalidTokenError(`the token is longer than ${MAX_TOKEN_CHARACTERS} characters`);
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: ["ES256"],
      issuer,
      audience,
      currentDate: now,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ["exp", "iat", "nbf", "sub"],
    });
    return payload;
  } catch (caught) {
    throw new InvalidTokenError(problemOf(caught));
  }
}

function problemOf(caught: unknown): string {
  if (caught instanceof errors.JWTExpired) return "the token has expired";
  if (caught instanceof errors.JWTClaimValidationFailed)
    return `the token's claim "${caught.claim}" is not acceptable`;
  if (caught instanceof errors.JOSEAlgNotAllowed) return "the token is not signed with ES256";
  if (caught instanceof errors.JWSSignatureVerificationFailed)
    return "the token's signature does not verify";
  return `the token cannot be read: ${describeError(caught)}`;
}
