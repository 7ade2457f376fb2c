/**
 * SPIFFE bundles: what a trust domain's identities are verified with, as trust domains tell it one another.
 * Standard: https://spiffe.io/docs/latest/spiffe-specs/spiffe_trust_domain_and_bundle, section 4.
 */
import type { KeyObject, X509Certificate } from "node:crypto";

export interface SpiffeBundle {
  readonly x509Authorities: readonly X509Certificate[];
  /** Public keys by their key ids. */
  readonly jwtAuthorities: ReadonlyMap<string, KeyObject>;
  /** Greater in every newer bundle. */
  readonly sequence: number | undefined;
  /** How often to look for a newer one. */
  readonly refreshHintSeconds: number | undefined;
}

export function printSpiffeBundle(bundle: SpiffeBundle): string {
  const { x509Authorities, jwtAuthorities, sequence, refreshHintSeconds } = bundle;
  const x509 = x509Authorities.map((certificate) => ({
    use: "x509-svid",
    ...certificate.publicKey.export({ format: "jwk" }),
    x5c: [certificate.raw.toString("base64")],
  }));
  const jwt = [...jwtAuthorities].map(([kid, key]) => ({
    use: "jwt-svid",
    kid,
    ...key.export({ format: "jwk" }),
  }));
  return JSON.stringify({
    keys: [...x509, ...jwt],
    spiffe_sequence: sequence,
    spiffe_refresh_hint: refreshHintSeconds,
  });
}
