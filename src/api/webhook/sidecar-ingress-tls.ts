/** TLS that a Sidecar ends itself for callers from outside the mesh: certificates come from files alone. */
import type { Fields } from "../decoder.ts";
import { protocolFamily } from "./port.ts";
import { checkServerTlsSettings } from "./server-tls-settings.ts";
import { flagIn, isGiven, textIn } from "./written-values.ts";

/** What a Gateway may ask for and a Sidecar may not. */
const GATEWAY_FIELDS = ["subjectAltNames", "credentialName", "credentialNames", "tlsCertificates"];
const GATEWAY_MODES = ["ISTIO_MUTUAL", "AUTO_PASSTHROUGH"];

export function checkIngressTls(listener: Fields): void {
  if (!listener.has("tls")) return;
  const tls = listener.section("tls");
  for (const name of GATEWAY_FIELDS.filter((field) => isGiven(tls, field))) {
    tls.report(name, "is not supported in a Sidecar");
  }
  if (flagIn(tls, "httpsRedirect")) tls.report("httpsRedirect", "is not supported in a Sidecar");
  const mode = textIn(tls, "mode");
  if (GATEWAY_MODES.includes(mode)) tls.report("mode", `must not be ${mode} in a Sidecar`);
  if (protocolFamily(textIn(listener.section("port"), "protocol")) !== "tls") {
    listener.report("tls", "must not be given for a port whose protocol is not HTTPS or TLS");
  }
  checkServerTlsSettings(tls, "files");
}
