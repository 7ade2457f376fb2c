/** Which resource made a cluster or a route, as Istio notes it in their metadata. */
import type { EnvoyMetadata } from "../../envoy/envoy-json.ts";
import { ISTIO_METADATA } from "../../envoy/istio-names.ts";

/** @returns `/apis/networking.istio.io/v1/namespaces/shop/virtual-service/api`, or undefined */
export function configPath(metadata: EnvoyMetadata | undefined): string | undefined {
  const config = metadata?.filterMetadata?.[ISTIO_METADATA]?.["config"];
  return typeof config === "string" ? config : undefined;
}

/** @returns `api.shop`, `<unknown>` of what is no path of Istio's, or "" */
export function configuredByInWords(metadata: EnvoyMetadata | undefined): string {
  const path = configPath(metadata);
  if (path === undefined) return "";
  if (!path.startsWith("/apis/networking.istio.io/")) return "<unknown>";
  const parts = path.split("/");
  return parts.length === 8 ? `${parts[7]}.${parts[5]}` : "";
}
