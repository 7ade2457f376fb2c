/** What an application is told of its callers' certificates, in Envoy's terms (OBS-30..OBS-33). */
import type { ClientCertDetail, ProxyHeaders } from "../../api/proxy-headers.ts";

export interface ForwardedClientCert {
  readonly forwardClientCertDetails: ProxyHeaders["forwardedClientCert"];
  readonly setCurrentClientCertDetails: Readonly<Partial<Record<ClientCertDetail, true>>>;
}

export function forwardedClientCert({
  forwardedClientCert: mode,
  clientCertDetails,
}: Pick<ProxyHeaders, "forwardedClientCert" | "clientCertDetails">): ForwardedClientCert {
  return {
    forwardClientCertDetails: mode,
    setCurrentClientCertDetails: Object.fromEntries(
      clientCertDetails.map((detail) => [detail, true]),
    ),
  };
}
