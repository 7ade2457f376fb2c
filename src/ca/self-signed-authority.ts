/** A new root that signs workloads directly: the default authority of a mesh (CA-20, CA-40). */
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { signAuthorityCertificate } from "../identity/sign-certificate.ts";
import { BACKDATE_MS } from "./issuing-rules.ts";

/** `CITADEL_SELF_SIGNED_CA_CERT_TTL`. */
export const SELF_SIGNED_LIFETIME_MS: number = 3650 * 24 * 3_600_000;
const SERIAL_BYTES = 16;

/**
 * A P-256 key and its self-signed certificate, whose organization is the trust domain.
 *
 * @returns PEM of both; the key as PKCS#8
 */
export function createSelfSignedAuthority(options: {
  readonly trustDomain: string;
  readonly now: Date;
  readonly lifetimeMs?: number;
}): { certificatePem: string; privateKeyPem: string } {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const start = Math.floor(options.now.getTime() / 1000) * 1000;
  const certificatePem = signAuthorityCertificate(
    {
      serialNumber: randomBytes(SERIAL_BYTES),
      notBefore: new Date(start - BACKDATE_MS),
      notAfter: new Date(start + (options.lifetimeMs ?? SELF_SIGNED_LIFETIME_MS)),
    },
    { organization: options.trustDomain, privateKey: createPrivateKey(privateKey) },
  );
  return { certificatePem, privateKeyPem: privateKey };
}
