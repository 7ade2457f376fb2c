/** What the authority grants, as pure rules. */
import { HauberkError } from "../runtime/hauberk-error.ts";

const HOUR_MS = 3_600_000;
/** `DEFAULT_WORKLOAD_CERT_TTL` (CA-10). */
export const DEFAULT_LIFETIME_MS: number = 24 * HOUR_MS;
/** `MAX_WORKLOAD_CERT_TTL` (CA-10). */
export const MAX_LIFETIME_MS: number = 90 * 24 * HOUR_MS;

/** How long certificates may live, in milliseconds (CA-10). */
export interface LifetimeRules {
  /** Where a request names none. */
  readonly defaultLifetimeMs: number;
  /** A request for more is refused. */
  readonly maxLifetimeMs: number;
}

const DEFAULT_RULES: LifetimeRules = {
  defaultLifetimeMs: DEFAULT_LIFETIME_MS,
  maxLifetimeMs: MAX_LIFETIME_MS,
};

/** How far `notBefore` lies in the past, so that peers whose clock is late accept a new certificate (CA-16). */
export const BACKDATE_MS = 120_000;

/** A certificate was asked for that would live longer than any may. */
export class LifetimeTooLongError extends HauberkError {
  readonly code = "HAUBERK_LIFETIME_TOO_LONG";
}

/** The authority's own certificate has ended, so it signs nothing. */
export class AuthorityExpiredError extends HauberkError {
  readonly code = "HAUBERK_AUTHORITY_EXPIRED";
}

/**
 * The lifetime to grant (CA-10): what was asked for, the default when nothing was, never more than the maximum.
 *
 * @param requestedSeconds as on the wire; 0 or less asks for the default
 * @returns milliseconds
 * @throws LifetimeTooLongError instead of clamping
 */
export function grantedLifetimeMs(
  requestedSeconds: bigint,
  { defaultLifetimeMs, maxLifetimeMs }: LifetimeRules = DEFAULT_RULES,
): number {
  if (requestedSeconds <= 0n) return defaultLifetimeMs;
  if (requestedSeconds * 1000n > BigInt(maxLifetimeMs)) {
    throw new LifetimeTooLongError(
      `a lifetime of ${requestedSeconds} s was asked for; at most ${maxLifetimeMs / 1000} s are granted`,
    );
  }
  return Number(requestedSeconds) * 1000;
}

/**
 * When a certificate begins and ends: never later than its issuer (CA-10), in whole seconds as X.509 counts.
 *
 * @throws AuthorityExpiredError if the issuer itself is not valid now
 */
export function grantedValidity(options: {
  readonly now: Date;
  readonly lifetimeMs: number;
  readonly issuerNotBefore: Date;
  readonly issuerNotAfter: Date;
}): { notBefore: Date; notAfter: Date } {
  const now = options.now.getTime();
  if (now >= options.issuerNotAfter.getTime())
    throw new AuthorityExpiredError(
      `the authority's certificate expired at ${options.issuerNotAfter.toISOString()}`,
    );
  if (now < options.issuerNotBefore.getTime())
    throw new AuthorityExpiredError(
      `the authority's certificate is valid only from ${options.issuerNotBefore.toISOString()}`,
    );
  const end = Math.min(now + options.lifetimeMs, options.issuerNotAfter.getTime());
  return { notBefore: wholeSeconds(now - BACKDATE_MS), notAfter: wholeSeconds(end) };
}

function wholeSeconds(time: number): Date {
  return new Date(Math.floor(time / 1000) * 1000);
}
