/**
 * Whom the operating system trusts, for TLS to servers of which a DestinationRule names no authorities (TLS-37). Node has
 * a list of its own, which no administrator keeps: it counts only where the system has none.
 */
import { rootCertificates } from "node:tls";
import { readRegularFile } from "../../runtime/regular-file.ts";

/** Where distributions keep the bundle; the first that is there counts, as for Istio's agent. */
const BUNDLES: readonly string[] = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const MAX_BYTES = 4_194_304;

/** Where to look, in this order; whether anything is there is another's matter. */
export function systemBundles(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  const own = environment["SSL_CERT_FILE"];
  return own === undefined || own === "" ? BUNDLES : [own];
}

/** @returns PEM; `SSL_CERT_FILE` comes before the places of distributions, as for OpenSSL */
export async function systemRootsPem(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  for (const path of systemBundles(environment)) {
    try {
      const { bytes } = await readRegularFile(path, { maxBytes: MAX_BYTES, links: "followed" });
      return bytes.toString("utf8");
    } catch {
      // Not there: the next may be.
    }
  }
  return rootCertificates.join("\n");
}
