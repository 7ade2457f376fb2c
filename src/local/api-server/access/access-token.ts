/** The one secret of the API server: who knows it may do everything, and so run commands as this user. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const TOKEN_BYTES = 32;
const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** @returns base64url of 32 random octets */
export function newAccessToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/**
 * Takes as long for a token that is nearly right as for one that is not.
 *
 * @param authorization the header
 */
export function isAuthorized(authorization: string | undefined, token: string): boolean {
  const [, given] = BEARER.exec(authorization ?? "") ?? [];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
