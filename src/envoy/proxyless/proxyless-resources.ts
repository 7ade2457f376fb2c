/**
 * A view as what a gRPC program is served that speaks xDS itself ("proxyless"): whom its own pod may call, and no more. Pure,
 * as what an Envoy is served.
 */
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { EnvoyResources } from "../envoy-json.ts";
import { callersPlace } from "../routes/callers-routes.ts";
import { proxylessClusters, proxylessEndpoints } from "./proxyless-clusters.ts";
import { calledListeners, servedListeners } from "./proxyless-listeners.ts";
import { proxylessRoutes } from "./proxyless-routes.ts";

export function proxylessResources({
  workload,
  inbound,
  outbound,
  trust,
}: WorkloadView): EnvoyResources {
  return {
    clusters: proxylessClusters(outbound, trust),
    endpoints: proxylessEndpoints(outbound),
    listeners: [
      ...calledListeners(outbound, callersPlace(workload.namespace)),
      ...servedListeners(inbound),
    ],
    routes: proxylessRoutes(outbound),
    extensionConfigs: [],
  };
}
