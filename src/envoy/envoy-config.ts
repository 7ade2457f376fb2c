/**
 * A sidecar's view in the shape of Envoy's configuration, for people and tools that read what Istio's proxies have. No
 * Envoy is run with it: rules of policies are named and not translated, and what Envoy knows by bootstrap is left out.
 */
import type { WorkloadView } from "../policy/workload-view.ts";
import { envoyClusters, envoyEndpoints } from "./clusters.ts";
import type { EnvoyConfig } from "./envoy-json.ts";
import { envoyListeners } from "./listeners.ts";
import type { CapturePorts } from "./proxy-settings.ts";
import { gatewayRoutes, outboundRoutes } from "./routes.ts";

/** @param capture present where the kernel leads the pod's connections to the sidecar */
export function envoyConfig(view: WorkloadView, capture?: CapturePorts): EnvoyConfig {
  return {
    listeners: envoyListeners(view, capture),
    clusters: envoyClusters(view),
    routes: [...gatewayRoutes(view), ...outboundRoutes(view)],
    endpoints: envoyEndpoints(view),
  };
}
