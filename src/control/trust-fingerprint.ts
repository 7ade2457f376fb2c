/** One short name for all that a sidecar is told to trust, so that it can be seen who has acknowledged the newest. */
import { createHash } from "node:crypto";
import type { Trust } from "../policy/workload-view.ts";

const CHARACTERS = 32;

/** What changes when authorities do; both a view's trust and the ring's have this shape. */
export type TrustedAuthorities = Pick<Trust, "rootsPem" | "taintedAuthorities" | "crlsPem">;

const fingerprints = new WeakMap<TrustedAuthorities, string>();

/** Equal for equal contents, in every process. */
export function trustFingerprint(trust: TrustedAuthorities): string {
  const known = fingerprints.get(trust);
  if (known !== undefined) return known;
  const { rootsPem, taintedAuthorities = [], crlsPem = [] } = trust;
  const text = JSON.stringify([rootsPem, taintedAuthorities, crlsPem]);
  const fingerprint = createHash("sha256").update(text).digest("hex").slice(0, CHARACTERS);
  fingerprints.set(trust, fingerprint);
  return fingerprint;
}
