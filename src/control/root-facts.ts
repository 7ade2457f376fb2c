/** The roots that are trusted now, as plain JSON. Pure. */
import { X509Certificate } from "node:crypto";

const ID_CHARACTERS = 16;

export interface RootFacts {
  /** The first 16 characters of its SHA-256, lower-case hexadecimal: of a root that signs itself, the authority's id. */
  readonly id: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly notAfter: string;
}

export function rootFacts(pem: string): RootFacts {
  const { fingerprint256, subject, validTo } = new X509Certificate(pem);
  return {
    id: fingerprint256.replaceAll(":", "").toLowerCase().slice(0, ID_CHARACTERS),
    subject: subject === undefined || subject === "" ? "(no name)" : subject.replaceAll("\n", ", "),
    notAfter: new Date(validTo).toISOString(),
  };
}
