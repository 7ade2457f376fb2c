/** A sidecar's view as what an Envoy is served that takes the sidecar's place. */
import type { WorkloadView } from "../policy/workload-view.ts";
import { envoyConfig } from "./envoy-config.ts";
import type { EnvoyResources } from "./envoy-json.ts";
import type { ProxySettings } from "./proxy-settings.ts";

/** Pure: the same objects in, equal objects out, and parts that depend on shared parts alone are shared. */
export function envoyResources(view: WorkloadView, settings: ProxySettings): EnvoyResources {
  return { ...envoyConfig(view, settings.capture), extensionConfigs: [] };
}
