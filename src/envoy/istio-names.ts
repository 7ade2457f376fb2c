/** How Istio calls clusters, filters and what has configured them: names that people and istioctl look for. */
import type { ResourceRef } from "../api/resource.ts";
import type { Destination, DestinationSubset, InboundPort } from "../policy/workload-view.ts";
import type { EnvoyMetadata } from "./envoy-json.ts";

export const HTTP_CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager";
export const TCP_PROXY = "envoy.filters.network.tcp_proxy";
export const NETWORK_RBAC = "envoy.filters.network.rbac";
export const HTTP_RBAC = "envoy.filters.http.rbac";

/** In Istio's metadata: which resource made a cluster or a route. */
export const ISTIO_METADATA = "istio";
/** What only this mesh tells; Envoy passes over it. */
export const OWN_METADATA = "hauberk";

export const INBOUND_PASSTHROUGH = "InboundPassthroughCluster";
export const PASSTHROUGH = "PassthroughCluster";
export const BLACK_HOLE = "BlackHoleCluster";

/** `inbound|8080||` */
export function inboundClusterName({ containerPort }: Pick<InboundPort, "containerPort">): string {
  return `inbound|${containerPort}||`;
}

/** `outbound|8080|v1|api.shop.svc.cluster.local` */
export function outboundClusterName({
  host,
  servicePort,
  subset = "",
}: Pick<Destination, "host" | "servicePort"> & Partial<Pick<DestinationSubset, "subset">>): string {
  return `outbound|${servicePort}|${subset}|${host}`;
}

const PATHS: Readonly<Record<string, string>> = {
  VirtualService: "virtual-service",
  DestinationRule: "destination-rule",
};

/** @returns nothing for kinds that Istio does not name so */
export function configuredBy({ kind, namespace, name }: ResourceRef): EnvoyMetadata | undefined {
  const path = PATHS[kind];
  if (path === undefined) return undefined;
  const config = `/apis/networking.istio.io/v1/namespaces/${namespace}/${path}/${name}`;
  return { filterMetadata: { [ISTIO_METADATA]: { config } } };
}
