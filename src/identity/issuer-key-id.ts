/** Which authority signed a certificate, by the identifier of its key: that is how authorities are told apart. */
import type { X509Certificate } from "node:crypto";
import { authorityKeyIdentifier, readCertificateExtensions } from "./certificate-extensions.ts";

/**
 * The issuer's subject key identifier as the certificate states it, lower-case hexadecimal; undefined where it does not.
 *
 * @throws InvalidDerError
 */
export function issuerKeyId({ raw }: Pick<X509Certificate, "raw">): string | undefined {
  return authorityKeyIdentifier(readCertificateExtensions(raw))?.toString("hex");
}
