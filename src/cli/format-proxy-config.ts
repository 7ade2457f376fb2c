/** A sidecar's listeners, clusters and endpoints as tables, under the headings of istioctl where they mean the same. Pure. */
import { formatRef } from "../api/resource.ts";
import type { Origin } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { ClusterDump, EndpointDump } from "../proxy/admin-clusters.ts";
import type { ChainDump, ListenerDump } from "../proxy/admin-listeners.ts";
import { alignColumns } from "./align-columns.ts";

const NONE = "-";

/** A row for each way that a connection can take. */
export function listenerTable(listeners: readonly ListenerDump[]): readonly string[] {
  const rows = listeners.flatMap(({ addresses, chains }) => {
    const hosts = [...new Set(addresses.map(({ address }) => address))].join(",");
    const ports = [...new Set(addresses.map(({ port }) => port))].join(",");
    return chains.map((chain) => [hosts, ports, matchOf(chain), mutualTlsOf(chain), chain.cluster]);
  });
  return tableOf(["ADDRESSES", "PORT", "MATCH", "MUTUAL TLS", "DESTINATION"], rows);
}

export function clusterTable(clusters: readonly ClusterDump[]): readonly string[] {
  const rows = clusters.map(({ name, direction, host, port, endpoints, ...settings }) => [
    host ?? (port === undefined ? name : NONE),
    port === undefined ? NONE : String(port),
    direction,
    String(endpoints.length),
    destinationRuleOf(settings),
  ]);
  return tableOf(["SERVICE FQDN", "PORT", "DIRECTION", "ENDPOINTS", "DESTINATION RULE"], rows);
}

/** With the name of its cluster. */
export type ListedEndpoint = EndpointDump & { readonly cluster: string };

export function endpointList(clusters: readonly ClusterDump[]): readonly ListedEndpoint[] {
  return clusters.flatMap(({ name, endpoints }) =>
    endpoints.map((endpoint) => ({ ...endpoint, cluster: name })),
  );
}

export function endpointTable(clusters: readonly ClusterDump[]): readonly string[] {
  const rows = endpointList(clusters).map(({ address, state, mutualTls, workload, cluster }) => [
    formatAddress(address),
    state,
    mutualTls ? "yes" : "no",
    workload ?? NONE,
    cluster,
  ]);
  return tableOf(["ENDPOINT", "STATUS", "MUTUAL TLS", "POD", "CLUSTER"], rows);
}

function tableOf(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  return alignColumns([headings, ...rows]);
}

function matchOf({ match, protocol }: ChainDump): string {
  const spoken = protocol === undefined ? "" : ` ${protocol}`;
  if (match === undefined) return `all${spoken}`;
  const { addresses, host, port } = match;
  const where = host ?? (addresses === undefined ? "" : addresses.join(","));
  return `${where}:${port}${spoken}`;
}

function mutualTlsOf({ mutualTls }: ChainDump): string {
  return mutualTls === undefined ? NONE : `${mutualTls.mode} (${originOf(mutualTls.origin)})`;
}

function destinationRuleOf({
  clientTls,
  trafficPolicy,
}: Pick<ClusterDump, "clientTls" | "trafficPolicy">): string {
  const origin = clientTls?.origin ?? trafficPolicy?.origin;
  return origin === undefined ? NONE : originOf(origin);
}

function originOf(origin: Origin): string {
  return origin === "default" ? origin : formatRef(origin.ref);
}

function formatAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
