/**
 * How a global limit, and a bucket of it, are called where they are counted: entries of a descriptor of Envoy's rate limit service, as
 * sidecars send them, and as any other client may.
 */

import { createHash } from "node:crypto";

/** `namespace/resource/limit`, see `rateLimitId`. */
export const LIMIT_ENTRY = "hauberk.limit";
/** Tells the buckets of a limit apart, as a hash; absent where there is one. */
export const KEY_ENTRY = "hauberk.key";
/** Among whom a fair limit is shared, as a hash; absent for who has no identity. */
export const IDENTITY_ENTRY = "hauberk.identity";

/** A count of its own, as sidecars name it. */
export interface GlobalCounter {
  readonly limit: string;
  /** Hashed; "" where the limit has one bucket. */
  readonly key: string;
  /** Hashed; "" where the limit is not fair, and for who has no identity. */
  readonly identity: string;
}

/** Octets of the hash that stands for what requests say. */
const HASH_OCTETS = 18;

/** What users and clients say stays where it was said; "" stays. */
export function hashedEntry(value: string): string {
  if (value === "") return "";
  const digest = createHash("sha256").update(value).digest();
  return digest.subarray(0, HASH_OCTETS).toString("base64url");
}

/** The domain of all descriptors of a mesh. */
export function rateLimitDomain(trustDomain: string): string {
  return trustDomain;
}
