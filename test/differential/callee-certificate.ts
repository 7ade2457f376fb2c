/** What every Envoy here shows its callers, who do not ask. */
import { type CertificateAndKey, certificateOf } from "./known-parties.ts";

let made: CertificateAndKey | undefined;

export function calleeCertificate(): CertificateAndKey {
  made ??= certificateOf(["spiffe://cluster.local/ns/production/sa/api"]);
  return made;
}
