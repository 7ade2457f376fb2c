/** `proxy-config listeners`: a row for each way that a connection can take. */
import type {
  EnvoyAddress,
  EnvoyListener,
  FilterChain,
  FilterChainMatch,
  NetworkFilter,
  RouteConfiguration,
} from "../../envoy/envoy-json.ts";
import {
  BLACK_HOLE,
  HTTP_CONNECTION_MANAGER,
  OWN_METADATA,
  TCP_PROXY,
} from "../../envoy/istio-names.ts";
import { chainsOf } from "../../envoy/network-filters.ts";
import { calledThrough } from "../../envoy/outbound/loopback-listeners.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import { clusterKey, compare } from "./cluster-key.ts";
import { matchInWords } from "./route-summary.ts";
import type { SummaryOptions } from "./summary-options.ts";
import { tabColumns } from "./tab-columns.ts";

const PADDING = 1;

export interface ListenerFilter {
  readonly address?: string;
  readonly port?: number;
  /** HTTP, TCP or HTTP+TCP, in any letter case. */
  readonly type?: string;
}

/** @returns those that fit, by port, address and type */
export function chosenListeners(
  listeners: readonly EnvoyListener[],
  { address, port, type }: ListenerFilter,
  { of }: SummaryOptions,
): readonly EnvoyListener[] {
  const fitting = listeners.filter(
    (one) =>
      (address === undefined || addressesOf(one).some((own) => same(own, address))) &&
      (type === undefined || same(typeOf(one), type)),
  );
  if (port === undefined) return fitting.toSorted(inOrder);
  const own = fitting.filter((one) => portOf(one) === port);
  const asked =
    own.length === 0 && of === "sidecar" ? fitting.filter((one) => leadsTo(one, port)) : own;
  return asked.toSorted(inOrder);
}

export function listenerSummary(
  listeners: readonly EnvoyListener[],
  { of, kinds }: SummaryOptions,
): readonly string[] {
  const headings = [...(kinds ? ["NAME"] : []), "ADDRESSES", "PORT", "MATCH", "DESTINATION"];
  const rows = listeners.flatMap((one) => {
    const start = [
      ...(kinds ? [`listener/${one.name ?? ""}`] : []),
      addressesOf(one).join(","),
      String(portOf(one)),
    ];
    return chainsOf(one)
      .map((chain) => ({
        match: chainMatch(chain.filterChainMatch),
        destination: destinationOf(chain.filters ?? []),
        mutualTls: modeOf(chain),
      }))
      .toSorted((left, right) => compare(right.destination, left.destination))
      .map(({ match, destination, mutualTls }) => [
        ...start,
        match,
        destination,
        ...(of === "sidecar" ? [mutualTls] : []),
      ]);
  });
  return tabColumns([[...headings, ...(of === "sidecar" ? ["MUTUAL TLS"] : [])], ...rows], PADDING);
}

function inOrder(one: EnvoyListener, other: EnvoyListener): number {
  return (
    portOf(one) - portOf(other) ||
    compare(addressOf(one.address), addressOf(other.address)) ||
    compare(typeOf(one), typeOf(other))
  );
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function addressesOf({ address, additionalAddresses = [] }: EnvoyListener): readonly string[] {
  return [addressOf(address), ...additionalAddresses.map((one) => addressOf(one.address))];
}

function addressOf({ socketAddress, pipe }: EnvoyAddress = {}): string {
  return socketAddress?.address ?? heldByAgent(pipe)?.address ?? pipe?.path ?? "";
}

function portOf({ address: { socketAddress, pipe } = {} }: EnvoyListener): number {
  return socketAddress?.portValue ?? heldByAgent(pipe)?.port ?? 0;
}

/** Programs call a port of the agent's, which leads to Envoy's socket. */
function heldByAgent(pipe: EnvoyAddress["pipe"]): SocketAddress | undefined {
  return pipe?.path === undefined ? undefined : calledThrough(pipe.path);
}

/** Where a program's ports are others than the pod's, people ask by the pod's: what connections are taken for counts. */
function leadsTo(listener: EnvoyListener, port: number): boolean {
  return chainsOf(listener).some(
    ({ filterChainMatch, filters = [] }) =>
      filterChainMatch?.destinationPort === port ||
      filters.some(({ typedConfig }) => {
        const { cluster, routeConfig, rds } = typedConfig ?? { "@type": "" };
        const names = [cluster, routeConfig?.name].map((name) => clusterKey(name ?? "")?.port);
        return names.includes(port) || rds?.routeConfigName === String(port);
      }),
  );
}

function typeOf(listener: EnvoyListener): string {
  const filters = chainsOf(listener).flatMap(({ filters: own = [] }) => own);
  const http = filters.some(({ name }) => name === HTTP_CONNECTION_MANAGER);
  const tcp = filters.some((one) => one.name === TCP_PROXY && !isBlackHole(one));
  if (http) return tcp ? "HTTP+TCP" : "HTTP";
  return tcp ? "TCP" : "UNKNOWN";
}

function isBlackHole({ typedConfig }: NetworkFilter): boolean {
  return JSON.stringify(typedConfig ?? {}).includes(BLACK_HOLE);
}

const PLAIN_HTTP = "http/1.0,http/1.1,h2c";
const MESH_HTTP = "istio-http/1.0,istio-http/1.1,istio-h2";
/** What istioctl calls what clients speak. */
const SPOKEN: ReadonlyMap<string, string> = new Map([
  [`${PLAIN_HTTP},${MESH_HTTP}`, "App: HTTP TLS"],
  [`istio,${MESH_HTTP}`, "App: Istio HTTP Plain"],
  ["istio-peer-exchange,istio", "App: TCP TLS"],
  [PLAIN_HTTP, "App: HTTP"],
]);

function chainMatch(match: FilterChainMatch = {}): string {
  const { serverNames = [], transportProtocol, applicationProtocols = [], destinationPort } = match;
  const spoken = applicationProtocols.join(",");
  const port = destinationPort === undefined ? "" : `:${destinationPort}`;
  const ranges = (match.prefixRanges ?? [])
    .map(({ addressPrefix = "", prefixLen = 0 }) => `${addressPrefix}/${prefixLen}`)
    .join(",");
  const parts = [
    ...(serverNames.length > 0 ? [`SNI: ${serverNames.join(",")}`] : []),
    ...(transportProtocol ? [`Trans: ${transportProtocol}`] : []),
    ...(spoken === "" ? [] : [SPOKEN.get(spoken) ?? `App: ${spoken}`]),
    ...(ranges === "" && port === "" ? [] : [`Addr: ${ranges || "*"}${port}`]),
  ];
  return parts.length === 0 ? "ALL" : parts.join("; ");
}

function destinationOf(filters: readonly NetworkFilter[]): string {
  for (const filter of filters) {
    const { name, typedConfig } = filter;
    if (name === HTTP_CONNECTION_MANAGER) {
      if (typedConfig?.routeConfig) return routesInWords(typedConfig.routeConfig);
      const routes = typedConfig?.rds?.routeConfigName ?? "";
      return routes === "" ? "HTTP" : `Route: ${routes}`;
    }
    if (name === TCP_PROXY && !isBlackHole(filter)) return named(typedConfig?.cluster ?? "");
  }
  return "Non-HTTP/Non-TCP";
}

function routesInWords({ virtualHosts = [] }: RouteConfiguration): string {
  const [host] = virtualHosts;
  const [route] = host?.routes ?? [];
  const takesAll =
    virtualHosts.length === 1 &&
    host?.domains?.join() === "*" &&
    host.routes?.length === 1 &&
    route?.match?.prefix === "/";
  if (takesAll && route?.route?.cluster !== undefined) return named(route.route.cluster);
  const hosts = virtualHosts.map(({ domains = [], routes = [] }) => {
    const matches = routes.map(({ match }) => matchInWords(match)).join(", ");
    return domains.join() === "*" ? matches : `${domains.join("/")} ${matches}`;
  });
  return `Inline Route: ${hosts.join("; ")}`;
}

/** `PassthroughCluster` says what it is. */
function named(cluster: string): string {
  return cluster.includes("Cluster") ? cluster : `Cluster: ${cluster}`;
}

function modeOf({ metadata }: FilterChain): string {
  return String(metadata?.filterMetadata?.[OWN_METADATA]?.["mutualTls"] ?? "-");
}
