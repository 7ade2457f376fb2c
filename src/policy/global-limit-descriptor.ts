/**
 * How a global limit, and a bucket of it, are called where they are counted: entries of a descriptor of Envoy's rate limit service, as
 * sidecars send them, and as any other client may.
 */

/** `namespace/resource/limit`, see `rateLimitId`. */
export const LIMIT_ENTRY = "hauberk.limit";
/** Tells the buckets of a limit apart, as a hash; absent where there is one. */
export const KEY_ENTRY = "hauberk.key";
/** Among whom a fair limit is shared, as a hash; absent for who has no identity. */
export const IDENTITY_ENTRY = "hauberk.identity";

/** The domain of all descriptors of a mesh. */
export function rateLimitDomain(trustDomain: string): string {
  return trustDomain;
}
