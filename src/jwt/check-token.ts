/** Checks one token against what one issuer's rule demands, in Envoy's order: times, audience, then the signature. */
import { compactVerify } from "jose";
import { comparableAudience } from "../api/comparable-audience.ts";
import type { ReadToken, SignedText } from "./read-token.ts";
import type { TokenKey } from "./token-keys.ts";
import type { TokenProblem } from "./token-status.ts";

export interface TokenDemands {
  /** "" accepts any (JWT-17). */
  readonly issuer: string;
  /** Empty accepts any (JWT-33). */
  readonly audiences: readonly string[];
  /** Undefined: they could not be had yet. */
  readonly keys: readonly TokenKey[] | undefined;
}

/** Keys that one token makes us try: whoever sends it decides that it names none. */
const MAX_TRIED = 16;
/** JWT-32 */
export const CLOCK_SKEW_SECONDS = 60;

/** All that is no matter of a signature, and may be asked again and again of a token that was verified once. */
export function claimsProblem(
  { issuer, expiresAt, notBefore, audiences }: ReadToken,
  demands: TokenDemands,
  now: Date,
): TokenProblem | undefined {
  const seconds = Math.floor(now.getTime() / 1_000);
  if (demands.issuer !== "" && issuer !== demands.issuer) return "unknownIssuer";
  if (notBefore !== undefined && notBefore - CLOCK_SKEW_SECONDS > seconds) return "notYetValid";
  if (expiresAt !== undefined && expiresAt + CLOCK_SKEW_SECONDS < seconds) return "expired";
  const accepted = demands.audiences.map(comparableAudience);
  const isMeant =
    accepted.length === 0 || audiences.some((one) => accepted.includes(comparableAudience(one)));
  return isMeant ? undefined : "audience";
}

/** @returns undefined: one of the keys has signed it */
export async function signatureProblem(
  { text, algorithm, keyId }: SignedText,
  keys: readonly TokenKey[] | undefined,
): Promise<TokenProblem | undefined> {
  if (keys === undefined) return "keysNotFetched";
  if (keys.length === 0) return "noValidKey";
  const fitting = keys
    .filter((key) => key.algorithms.includes(algorithm) && isKeyFor(key.keyId, keyId))
    .slice(0, MAX_TRIED);
  for (const { key } of fitting) {
    try {
      await compactVerify(text, key, { algorithms: [algorithm] });
      return undefined;
    } catch {
      // Another key may fit; why this one does not is no news.
    }
  }
  return fitting.length === 0 ? "noKey" : "signature";
}

/** JWT-31 */
function isKeyFor(key: string | undefined, token: string | undefined): boolean {
  return !key || !token || key === token;
}
