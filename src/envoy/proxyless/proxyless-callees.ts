/**
 * Whom a gRPC program can call that has no proxy between itself and its callees, and how such calls are protected. gRPC knows
 * one transport for a whole cluster, where Envoy knows one for each endpoint.
 */
import { isIP } from "node:net";
import type { Endpoint, Outbound } from "../../policy/workload-view.ts";
import { outboundClusterName } from "../istio-names.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { reachOf } from "../outbound/destination-reach.ts";
import { allDestinations } from "../outbound/outbound-clusters.ts";
import { remembered } from "../remembered.ts";

/** How all endpoints of one callee are spoken to. */
export type CalleeTransport = "mesh-tls" | "plaintext";

/** Those whose endpoints the control plane knows; of others, and of TLS to others, gRPC is told nothing. */
export const proxylessCallees: (outbound: Outbound) => readonly AnyDestination[] = remembered(
  (outbound) => allDestinations(outbound).filter(isCallable),
);

/** Names of their clusters. */
export const proxylessClusterNames: (outbound: Outbound) => ReadonlySet<string> = remembered(
  (outbound) => new Set(proxylessCallees(outbound).map(outboundClusterName)),
);

function isCallable(destination: AnyDestination): boolean {
  const reach = reachOf(destination);
  return (
    destination.protocol !== "tcp" &&
    destination.tlsOrigination === undefined &&
    (reach === "told" || reach === "one by one")
  );
}

/** Mutual TLS unless a DestinationRule disables it, or nobody behind the service speaks it: plaintext is never a fallback. */
export function transportOf({ clientTls, endpoints }: AnyDestination): CalleeTransport {
  if (clientTls?.mode === "ISTIO_MUTUAL") return "mesh-tls";
  if (clientTls !== undefined) return "plaintext";
  return endpoints.length === 0 || endpoints.some(({ mutualTls }) => mutualTls)
    ? "mesh-tls"
    : "plaintext";
}

/** Those that may be called, each once, and that speak what the cluster speaks. gRPC refuses a list with an address twice. */
export function calledEndpoints(destination: AnyDestination): readonly Endpoint[] {
  const automatic = destination.clientTls === undefined;
  const isSpoken = ({ mutualTls }: Endpoint): boolean =>
    !automatic || transportOf(destination) === "plaintext" || mutualTls;
  const found = destination.endpoints.filter(
    (endpoint) =>
      endpoint.refusedBy === undefined &&
      isIP(endpoint.address.address) !== 0 &&
      isSpoken(endpoint),
  );
  const byAddress = found.map(
    (endpoint) => [`${endpoint.address.address} ${endpoint.address.port}`, endpoint] as const,
  );
  return [...new Map(byAddress).values()];
}
