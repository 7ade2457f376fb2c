/** Certificates out of PEM, in their order. */
import { X509Certificate } from "node:crypto";
import { formatPem, readPem } from "./pem.ts";

const MAX_CHARACTERS = 1_048_576;

export interface ReadCertificate {
  readonly certificate: X509Certificate;
  /** This one alone. */
  readonly pem: string;
}

/** @throws InvalidPemError when there is none, or anything else */
export function readCertificates(text: string): readonly ReadCertificate[] {
  const options = { labels: ["CERTIFICATE"], maxCharacters: MAX_CHARACTERS };
  return readPem(text, options).map((der) => ({
    certificate: new X509Certificate(der),
    pem: formatPem("CERTIFICATE", der),
  }));
}
