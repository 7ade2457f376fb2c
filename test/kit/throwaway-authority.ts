/** A certificate authority for one test: real keys, real signatures, nothing on disk. */
import { createPrivateKey } from "node:crypto";
import { CertificateAuthority } from "../../src/ca/certificate-authority.ts";
import { createSelfSignedAuthority } from "../../src/ca/self-signed-authority.ts";
import {
  createCertificateRequest,
  parseCertificateRequest,
} from "../../src/identity/certificate-request.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";

const DAY_MS = 86_400_000;

export interface ThrowawayAuthority {
  readonly authority: CertificateAuthority;
  readonly rootPem: string;
  /** A workload's certificate and key. */
  svid(id: string, options?: { readonly lifetimeMs?: number; readonly now?: Date }): X509Svid;
  /** The control plane's certificate and key. */
  serverCertificate(options?: {
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: readonly string[];
  }): { readonly certificateChainPem: string; readonly privateKeyPem: string };
}

export function createThrowawayAuthority(
  options: { readonly trustDomain?: string; readonly now?: Date } = {},
): ThrowawayAuthority {
  const { trustDomain = "cluster.local", now = new Date() } = options;
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority({ trustDomain, now });
  const authority = new CertificateAuthority({
    certificatePem,
    privateKey: createPrivateKey(privateKeyPem),
    rootsPem: [certificatePem],
  });
  return {
    authority,
    rootPem: certificatePem,
    svid: (id, { lifetimeMs = DAY_MS, now: issuedAt = now } = {}) => {
      const request = createCertificateRequest();
      const { publicKey } = parseCertificateRequest(request.csrPem);
      const spiffe = parseSpiffeId(id);
      const issued = authority.issue({ publicKey, id: spiffe, lifetimeMs, now: issuedAt });
      return {
        id: spiffe,
        certificateChainPem: issued.chainPem.join(""),
        privateKeyPem: request.privateKeyPem,
        serialNumber: issued.serialNumber,
        issuedAt,
        notAfter: issued.notAfter,
      };
    },
    serverCertificate: ({
      dnsNames = ["istiod.istio-system.svc", "localhost"],
      ipAddresses = ["127.0.0.1"],
    } = {}) => {
      const request = createCertificateRequest();
      const { publicKey } = parseCertificateRequest(request.csrPem);
      const names = { dnsNames, ipAddresses };
      const issued = authority.issueServer({ publicKey, ...names, lifetimeMs: DAY_MS, now });
      return {
        certificateChainPem: issued.chainPem.join(""),
        privateKeyPem: request.privateKeyPem,
      };
    },
  };
}
