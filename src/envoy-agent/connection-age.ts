/**
 * How long a connection may live. Envoy keeps one for as long as it is used, with the certificate of the day on which it
 * was opened: it must be gone before that certificate ends, and whoever is renewed must not be known by what went before.
 */

/** A certificate is renewed at half of its life, with some chance: what is opened just before has less than that left. */
const SHARE = 0.4;
const SHORTEST_SECONDS = 1;
/** A revoked certificate is of no use after an hour, even where a connection is never quiet. */
const LONGEST_SECONDS = 3_600;

/** @param lifetimeSeconds of a certificate, as it is asked for */
export function connectionAgeSeconds(lifetimeSeconds: number): number {
  const share = Math.floor(lifetimeSeconds * SHARE);
  return Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, share));
}
