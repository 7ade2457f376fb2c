/** Reads a SPIFFE bundle that was printed, as whoever federates with the mesh would: keys have to be those of the certificates. */
import assert from "node:assert/strict";
import { createPublicKey, X509Certificate } from "node:crypto";
import type { SpiffeBundle } from "../../src/identity/spiffe-bundle.ts";

export function readSpiffeBundle(text: string): SpiffeBundle {
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: hint } = JSON.parse(text);
  const ofUse = (use: string) => keys.filter((key: { use: string }) => key.use === use);
  const read: X509Certificate[] = [];
  for (const { x5c, ...jwk } of ofUse("x509-svid")) {
    const [der, ...others] = x5c;
    assert.deepEqual(others, []);
    const certificate = new X509Certificate(Buffer.from(der, "base64"));
    const key = createPublicKey({ key: jwk, format: "jwk" });
    assert.ok(key.equals(certificate.publicKey), "an entry states another key than it certifies");
    read.push(certificate);
  }
  const jwtAuthorities = new Map<string, ReturnType<typeof createPublicKey>>();
  for (const jwk of ofUse("jwt-svid"))
    jwtAuthorities.set(jwk.kid, createPublicKey({ key: jwk, format: "jwk" }));
  return { x509Authorities: read, jwtAuthorities, sequence, refreshHintSeconds: hint };
}
