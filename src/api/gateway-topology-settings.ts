/** `gatewayTopology` of a ProxyConfig: what stands in front of a gateway, and what it tells of its clients' certificates. */
import type { Fields } from "./decoder.ts";
import { FORWARD_CLIENT_CERT_MODES, type ForwardClientCertMode } from "./proxy-headers.ts";
import { numberIn, textIn } from "./webhook/written-values.ts";

/** What was written in one place. */
export interface WrittenGatewayTopology {
  /** `numTrustedProxies` */
  readonly trustedProxies?: number;
  /** `forwardClientCertDetails` */
  readonly forwardedClientCert?: ForwardClientCertMode;
}

/** @param topology whose structure is known to be good */
export function readGatewayTopology(topology: Fields): WrittenGatewayTopology {
  topology.unsupported(["proxyProtocol"]);
  const written = textIn(topology, "forwardClientCertDetails");
  const forwardedClientCert = FORWARD_CLIENT_CERT_MODES.find((mode) => mode === written);
  return {
    ...(topology.has("numTrustedProxies") && {
      trustedProxies: numberIn(topology, "numTrustedProxies"),
    }),
    ...(forwardedClientCert && { forwardedClientCert }),
  };
}
