/**
 * How a sidecar reaches a collector of spans: through the mesh where it is one of its services, by mutual TLS where its
 * pods have it; else by its name.
 */
import { lookup } from "node:dns/promises";
import type { Duplex } from "node:stream";
import type { Destination, Endpoint, WorkloadView } from "../policy/workload-view.ts";
import type {
  CollectorPlace,
  ConnectCollector,
} from "../telemetry/tracing/collector-connection.ts";
import { findDestination } from "./destination-lookup.ts";
import type { OutboundTargets } from "./outbound-targets.ts";
import { reachable } from "./reachable-endpoints.ts";
import { type Connect, dialPlaintext, type Upstream } from "./upstream-dialer.ts";

export interface CollectorConnectionsOptions {
  /** The newest. */
  readonly view: () => WorkloadView;
  readonly targets: Pick<OutboundTargets, "dial">;
  /** For what is no service of the mesh. */
  readonly connect: Connect;
  /** A number in [0, 1): which endpoint. */
  readonly random: () => number;
}

/** @returns fails where there is no endpoint, or a NetworkPolicy keeps us from all */
export function collectorConnections(options: CollectorConnectionsOptions): ConnectCollector {
  return async (place, signal) => {
    const destination = destinationOf(place, options.view());
    const dialling =
      destination === undefined
        ? dialByName(place, options.connect)
        : dialEndpoint(destination, { place, options });
    return abandonable(dialling, signal);
  };
}

function destinationOf(
  { host, port, namespace }: CollectorPlace,
  { outbound: { destinations }, workload }: WorkloadView,
): Destination | undefined {
  const candidates =
    namespace === undefined
      ? destinations
      : destinations.filter(({ serviceNamespace }) => serviceNamespace === namespace);
  return findDestination(candidates, { host, port, namespace: workload.namespace });
}

async function dialByName({ host, port }: CollectorPlace, connect: Connect): Promise<Upstream> {
  const { address } = await lookup(host);
  return dialPlaintext({ address, port }, connect);
}

/** Over gRPC in HTTP/2, else in HTTP/1.1 that nobody multiplexes. */
async function dialEndpoint(
  destination: Destination,
  {
    place: { host, port, protocol },
    options: { targets, random },
  }: { readonly place: CollectorPlace; readonly options: CollectorConnectionsOptions },
): Promise<Upstream> {
  const reach = reachable(destination);
  if ("refused" in reach) throw new Error(`a NetworkPolicy keeps us from ${host}:${port}`);
  const endpoint = oneOf(reach.destination.endpoints, random);
  if (endpoint === undefined) throw new Error(`${host}:${port} has no ready endpoint`);
  const content = protocol === "grpc" ? "HTTP/2" : "upgrade";
  return targets.dial(reach.destination, { endpoint, content });
}

function oneOf(endpoints: readonly Endpoint[], random: () => number): Endpoint | undefined {
  return endpoints[Math.floor(random() * endpoints.length)];
}

/** A connection that comes when nobody waits for it any more is closed. */
function abandonable(dialling: Promise<Upstream>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    dialling.then(({ socket }) => {
      signal.removeEventListener("abort", leave);
      if (signal.aborted) socket.destroy();
      else resolve(socket);
    }, reject);
  });
}
