/** Verifies what a JWS (RFC 7515) says of itself: its header, its signature. What its claims mean is the caller's. */
import type { KeyObject } from "node:crypto";
import { compactVerify, decodeJwt, decodeProtectedHeader } from "jose";
import { describeError } from "../runtime/hauberk-error.ts";
import { InvalidTokenError } from "./invalid-token-error.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Not verified: only good for finding out which key to verify with. */
export interface UnverifiedToken {
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
  readonly type: string | undefined;
  readonly claims: Claims;
}

/** @throws InvalidTokenError if it is no JWT in compact serialization */
export function readUnverified(token: string): UnverifiedToken {
  try {
    const { alg, kid, typ } = decodeProtectedHeader(token);
    return { algorithm: text(alg), keyId: text(kid), type: text(typ), claims: decodeJwt(token) };
  } catch (cause) {
    throw new InvalidTokenError(`the token cannot be read: ${describeError(cause)}`);
  }
}

/**
 * @param options.algorithms those accepted: the token does not choose
 * @returns the claims, now verified to be the signer's
 * @throws InvalidTokenError
 */
export async function verifySignature(
  token: string,
  {
    publicKey,
    algorithms,
  }: { readonly publicKey: KeyObject; readonly algorithms: readonly string[] },
): Promise<Claims> {
  try {
    await compactVerify(token, publicKey, { algorithms: [...algorithms] });
    return decodeJwt(token);
  } catch (cause) {
    throw new InvalidTokenError(`the token's signature does not verify: ${describeError(cause)}`);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
