/**
 * What the API server shows its clients: a certificate of an authority that is made with it, signs nothing else, and
 * whose key is forgotten at once.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { createSelfSignedAuthority } from "../../../ca/self-signed-authority.ts";
import { issuerOf, signLeafCertificate } from "../../../identity/sign-certificate.ts";
import type { Clock } from "../../../runtime/clock.ts";

/** Longer than a mesh runs; the next start makes another. */
const LIFETIME_MS = 3_650 * 24 * 3_600_000;
/** For clocks that differ a little. */
const BACKDATE_MS = 60_000;
const SERIAL_BYTES = 16;
const DNS_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
const ADDRESSES = ["127.0.0.1", "::1"];

export interface ServingCertificate {
  readonly certificatePem: string;
  /** PKCS#8. Kept in memory alone. */
  readonly privateKeyPem: string;
  /** What clients are to trust, and nothing else. */
  readonly authorityPem: string;
}

export function issueServingCertificate(clock: Clock): ServingCertificate {
  const now = clock.now();
  const authority = createSelfSignedAuthority({
    trustDomain: "hauberk local API server",
    now,
    lifetimeMs: LIFETIME_MS,
  });
  const issuer = issuerOf(
    new X509Certificate(authority.certificatePem),
    createPrivateKey(authority.privateKeyPem),
  );
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificatePem = signLeafCertificate(
    {
      publicKey,
      names: { uris: [], dnsNames: DNS_NAMES, ipAddresses: ADDRESSES },
      serialNumber: randomBytes(SERIAL_BYTES),
      notBefore: new Date(now.getTime() - BACKDATE_MS),
      notAfter: new Date(now.getTime() + LIFETIME_MS),
    },
    issuer,
  );
  return {
    certificatePem,
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    authorityPem: authority.certificatePem,
  };
}
