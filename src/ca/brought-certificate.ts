/** A certificate that somebody brings, and where it stands, so that whatever is wrong with it can be found. */
import { X509Certificate } from "node:crypto";
import { nameText } from "../identity/name-text.ts";
import { formatPem } from "../identity/pem.ts";
import { readPemFile } from "../identity/pem-file.ts";

const MAX_CERTIFICATES = 50;

export interface BroughtCertificate {
  readonly certificate: X509Certificate;
  /** This one alone, without the words around it. */
  readonly pem: string;
  /** `ca-cert.pem`, or `cert-chain.pem (certificate 2 of 3, "O=Company Inc.")`. */
  readonly place: string;
}

/**
 * All certificates of a file, each once.
 *
 * @throws Error whose message goes on after the file's name
 */
export function readBrought(text: string, file: string): readonly BroughtCertificate[] {
  const ders = readBlocks(text);
  if (ders.length > MAX_CERTIFICATES)
    throw new Error(`holds ${ders.length} certificates: at most ${MAX_CERTIFICATES} are read`);
  const read = ders.map((der, index) => readOne(der, `${index + 1} of ${ders.length}`));
  const distinct = new Map(read.map((one) => [one.pem, one] as const));
  return [...distinct.values()].map((one) => ({
    ...one,
    place:
      ders.length === 1
        ? file
        : `${file} (certificate ${one.position}, ${nameText(one.certificate.subject)})`,
  }));
}

function readBlocks(text: string): readonly Buffer[] {
  try {
    return readPemFile(text, "CERTIFICATE");
  } catch (cause) {
    throw new Error("is not PEM", { cause });
  }
}

function readOne(
  der: Buffer,
  position: string,
): Pick<BroughtCertificate, "certificate" | "pem"> & { readonly position: string } {
  try {
    return { certificate: new X509Certificate(der), pem: formatPem("CERTIFICATE", der), position };
  } catch {
    throw new Error(`holds something that is not a certificate, as certificate ${position}`);
  }
}
