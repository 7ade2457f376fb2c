/** The rules of istiod's webhook for each kind of Istio. */
import { validateAuthorizationPolicy } from "./authorization-policy.ts";
import { validateDestinationRule } from "./destination-rule.ts";
import { validateEnvoyFilter } from "./envoy-filter.ts";
import { validateGateway } from "./gateway.ts";
import { validatePeerAuthentication } from "./peer-authentication.ts";
import { checkReservedAnnotations, refuseDryRun } from "./policy-annotations.ts";
import { validateProxyConfig } from "./proxy-config.ts";
import { validateRequestAuthentication } from "./request-authentication.ts";
import { validateServiceEntry } from "./service-entry.ts";
import { validateSidecar } from "./sidecar.ts";
import { validateTelemetry } from "./telemetry.ts";
import { validateVirtualService } from "./virtual-service.ts";
import { validateWasmPlugin } from "./wasm-plugin.ts";
import type { Webhook } from "./webhook.ts";
import { validateWorkloadEntry } from "./workload-entry.ts";
import { validateWorkloadGroup } from "./workload-group.ts";

/** @returns undefined for a kind that is not Istio's */
export function webhookOfKind(kind: string): Webhook | undefined {
  const validate = WEBHOOKS.get(kind);
  if (validate === undefined) return undefined;
  return (request) => {
    checkReservedAnnotations(request);
    if (kind !== "AuthorizationPolicy") refuseDryRun(request);
    validate(request);
  };
}

const WEBHOOKS: ReadonlyMap<string, Webhook> = new Map([
  ["AuthorizationPolicy", validateAuthorizationPolicy],
  ["DestinationRule", validateDestinationRule],
  ["EnvoyFilter", validateEnvoyFilter],
  ["Gateway", validateGateway],
  ["PeerAuthentication", validatePeerAuthentication],
  ["ProxyConfig", validateProxyConfig],
  ["RequestAuthentication", validateRequestAuthentication],
  ["ServiceEntry", validateServiceEntry],
  ["Sidecar", validateSidecar],
  ["Telemetry", validateTelemetry],
  ["VirtualService", validateVirtualService],
  ["WasmPlugin", validateWasmPlugin],
  ["WorkloadEntry", validateWorkloadEntry],
  ["WorkloadGroup", validateWorkloadGroup],
]);
