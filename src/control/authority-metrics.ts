/** The metrics of whichever authority signs and whichever roots are trusted now. */
import { X509Certificate } from "node:crypto";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Watched } from "../runtime/watched.ts";
import {
  type CertificateMetrics,
  createCertificateMetrics,
} from "../telemetry/certificate-metrics.ts";

export function authorityMetrics(options: {
  readonly issuer: Watched<CertificateAuthority>;
  readonly trust: Watched<AuthorityTrust>;
  readonly clock: Clock;
}): CertificateMetrics {
  const { issuer, trust, clock } = options;
  return createCertificateMetrics({
    root: () => firstEnd(trust.current.rootsPem),
    chain: () => issuer.current.chainNotAfter,
    clock,
  });
}

function firstEnd(certificatesPem: readonly string[]): Date | undefined {
  if (certificatesPem.length === 0) return undefined;
  const ends = certificatesPem.map((pem) => Date.parse(new X509Certificate(pem).validTo));
  return new Date(Math.min(...ends));
}
