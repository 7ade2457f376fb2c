/** The schema of each kind of Istio. */
import { authorizationPolicySchema } from "./kinds/authorization-policy.ts";
import { destinationRuleSchema } from "./kinds/destination-rule.ts";
import { envoyFilterSchema } from "./kinds/envoy-filter.ts";
import { gatewaySchema } from "./kinds/gateway.ts";
import { peerAuthenticationSchema } from "./kinds/peer-authentication.ts";
import { proxyConfigSchema } from "./kinds/proxy-config.ts";
import { requestAuthenticationSchema } from "./kinds/request-authentication.ts";
import { serviceEntrySchema } from "./kinds/service-entry.ts";
import { sidecarSchema } from "./kinds/sidecar.ts";
import { telemetrySchema } from "./kinds/telemetry.ts";
import { virtualServiceSchema } from "./kinds/virtual-service.ts";
import { wasmPluginSchema } from "./kinds/wasm-plugin.ts";
import { workloadEntrySchema } from "./kinds/workload-entry.ts";
import { workloadGroupSchema } from "./kinds/workload-group.ts";
import type { Schema } from "./schema.ts";

/** @returns undefined for a kind that is not Istio's */
export function schemaOfKind(kind: string): Schema | undefined {
  return SCHEMAS.get(kind);
}

const SCHEMAS: ReadonlyMap<string, Schema> = new Map([
  ["AuthorizationPolicy", authorizationPolicySchema],
  ["DestinationRule", destinationRuleSchema],
  ["EnvoyFilter", envoyFilterSchema],
  ["Gateway", gatewaySchema],
  ["PeerAuthentication", peerAuthenticationSchema],
  ["ProxyConfig", proxyConfigSchema],
  ["RequestAuthentication", requestAuthenticationSchema],
  ["ServiceEntry", serviceEntrySchema],
  ["Sidecar", sidecarSchema],
  ["Telemetry", telemetrySchema],
  ["VirtualService", virtualServiceSchema],
  ["WasmPlugin", wasmPluginSchema],
  ["WorkloadEntry", workloadEntrySchema],
  ["WorkloadGroup", workloadGroupSchema],
]);
