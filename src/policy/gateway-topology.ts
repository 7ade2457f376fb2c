/**
 * What stands in front of a gateway, as `gatewayTopology` says: of the mesh's `defaultConfig`, or of the pod's own annotation.
 * And how a gateway tells of its clients' certificates (OBS-31).
 */
import type { WrittenGatewayTopology } from "../api/gateway-topology-settings.ts";
import type { ProxyHeaders, WrittenProxyHeaders } from "../api/proxy-headers.ts";

export interface GatewayTopology {
  /** So many of the last proxies that `x-forwarded-for` tells of are believed (AP-51a). */
  readonly trustedProxies: number;
}

/** What was written in one place. */
interface Written {
  readonly proxyHeaders: WrittenProxyHeaders | undefined;
  readonly gatewayTopology: WrittenGatewayTopology | undefined;
}

/** `proxyHeaders` has no say in certificates here: `gatewayTopology` has a field of its own for them. */
export function gatewaySettings({ mesh, own }: { readonly mesh: Written; readonly own: Written }): {
  readonly proxyHeaders: ProxyHeaders;
  readonly gatewayTopology?: GatewayTopology;
} {
  const { trustedProxies = 0, forwardedClientCert = "SANITIZE_SET" } = {
    ...mesh.gatewayTopology,
    ...own.gatewayTopology,
  };
  const { requestId = "generated" } = { ...mesh.proxyHeaders, ...own.proxyHeaders };
  return {
    proxyHeaders: {
      forwardedClientCert,
      clientCertDetails: ["cert", "subject", "uri", "dns"],
      requestId,
    },
    ...(trustedProxies > 0 && { gatewayTopology: { trustedProxies } }),
  };
}
