/** When to renew a certificate. Pure: `WorkloadIdentity` does the waiting and the asking. */

export interface Validity {
  /** When it was received, not `notBefore`: that one is backdated (CA-16). */
  readonly issuedAt: Date;
  readonly notAfter: Date;
}

/** When a certificate is renewed, as shares of its lifetime, 0 to 1 (CA-31). */
export interface RenewalRatios {
  /** `SECRET_GRACE_PERIOD_RATIO` */
  readonly graceRatio: number;
  /** `SECRET_GRACE_PERIOD_RATIO_JITTER` */
  readonly jitterRatio: number;
}

export const DEFAULT_RENEWAL: RenewalRatios = { graceRatio: 0.5, jitterRatio: 0.01 };

/**
 * How long to wait before renewing.
 *
 * Renewal starts when `graceRatio` of the lifetime is left, shifted by up to `jitterRatio`
 * either way, so that a fleet started together does not renew together (CA-31).
 *
 * @param graceRatio share of the lifetime kept as reserve, 0 to 1; Istio's default is 0.5
 * @param jitterRatio largest shift of `graceRatio`, 0 to 1; Istio's default is 0.01
 * @param random a number in [0, 1), as from `Math.random`
 * @returns milliseconds from `now`; 0 when renewal is already due
 * @throws RangeError if a ratio is outside 0 to 1
 * @see istio/security/pkg/nodeagent/cache/secretcache.go, `rotateTime`
 */
export function renewalDelay(
  { issuedAt, notAfter }: Validity,
  {
    now,
    graceRatio,
    jitterRatio,
    random,
  }: { now: Date; graceRatio: number; jitterRatio: number; random: number },
): number {
  for (const ratio of [graceRatio, jitterRatio]) {
    if (!(ratio >= 0 && ratio <= 1)) throw new RangeError(`ratio ${ratio} is outside 0 to 1`);
  }
  const reserve = Math.min(1, Math.max(0, graceRatio + (2 * random - 1) * jitterRatio));
  const lifetimeMs = Math.max(0, notAfter.getTime() - issuedAt.getTime());
  return Math.max(0, notAfter.getTime() - reserve * lifetimeMs - now.getTime());
}
