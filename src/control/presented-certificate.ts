/** What is kept of a client certificate: who signed it and how long it lives. No more than people may see. */
import type { X509Certificate } from "node:crypto";
import { issuerKeyId } from "../identity/issuer-key-id.ts";

export interface PresentedCertificate {
  /** Upper-case hexadecimal. */
  readonly serialNumber: string;
  /** Which key signed it, lower-case hexadecimal; absent when it does not say. */
  readonly authorityKeyIdentifier?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** @throws InvalidDerError */
export function presentedCertificate(certificate: X509Certificate): PresentedCertificate {
  const authorityKeyIdentifier = issuerKeyId(certificate);
  return {
    serialNumber: certificate.serialNumber,
    ...(authorityKeyIdentifier !== undefined && { authorityKeyIdentifier }),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}
