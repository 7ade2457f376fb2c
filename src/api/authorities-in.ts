/** Certificates of authorities, as the mesh configuration has them: one text of PEM. */
import { X509Certificate } from "node:crypto";
import type { Fields } from "./decoder.ts";
import { textIn } from "./webhook/written-values.ts";

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @returns one text each; none where the field says nothing, or something else, which is an issue */
export function authoritiesIn(fields: Fields, name: string): readonly string[] {
  const written = textIn(fields, name);
  if (written === "") return [];
  const certificates = written.match(PEM) ?? [];
  if (certificates.length > 0 && certificates.every(isAuthority)) return certificates;
  fields.report(name, "expected certificates of authorities in PEM");
  return [];
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
