/** The way a client's sidecar takes to a port of a workload: through which service, and by which transport. */
import { withClientTls } from "./client-tls.ts";
import { compileDestinationRules } from "./destination-rules.ts";
import { buildDestinations } from "./destinations.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Endpoint, InboundPort } from "./workload-view.ts";

/** Names one port of a service. */
export type ServicePortName = Pick<Destination, "serviceNamespace" | "serviceName" | "servicePort">;

export interface Route {
  /** As the client's sidecar knows it; as any client would, when the client has none. */
  readonly destination: Destination;
  /** Whether mutual TLS is spoken to the workload. */
  readonly mutualTls: boolean;
}

/**
 * The first service that leads to the port, or the one that is asked for. Whether the workload is ready does not count.
 *
 * @param options.dials "pod-address" where only a headless service is meant by the address that is called
 * @param options.client "no-sidecar" for a caller that nothing makes speak TLS, and to which no DestinationRule applies
 * @returns undefined for a port that no service leads to
 */
export function findRoute(
  snapshot: MeshSnapshot,
  options: {
    readonly client: Workload | "no-sidecar";
    readonly to: Workload;
    readonly port: InboundPort;
    readonly via?: ServicePortName;
    readonly dials?: "service" | "pod-address";
  },
): Route | undefined {
  const { client, to, port, via, dials = "service" } = options;
  for (const destination of buildDestinations(snapshot, "all")) {
    if (destination.serviceNamespace !== to.namespace) continue;
    if (dials === "pod-address" && destination.headless !== true) continue;
    if (via !== undefined && !isSame(destination, via)) continue;
    const endpoint = endpointAt(destination, { to, port });
    if (endpoint === undefined) continue;
    if (client === "no-sidecar") return { destination, mutualTls: false };
    const rule = compileDestinationRules(snapshot, client)(destination);
    return routeTo(endpoint, withClientTls(destination, rule));
  }
  return undefined;
}

/**
 * Through a destination as the client's sidecar knows it.
 *
 * @returns undefined where it does not lead to the port
 */
export function routeThrough(
  destination: Destination,
  listening: { readonly to: Workload; readonly port: InboundPort },
): Route | undefined {
  const endpoint = endpointAt(destination, listening);
  return endpoint && routeTo(endpoint, destination);
}

function routeTo(endpoint: Endpoint, destination: Destination): Route {
  const mode = destination.clientTls?.mode;
  return { destination, mutualTls: mode ? mode === "ISTIO_MUTUAL" : endpoint.mutualTls };
}

function endpointAt(
  { endpoints }: Pick<Destination, "endpoints">,
  { to, port: { listen } }: { readonly to: Workload; readonly port: InboundPort },
): Endpoint | undefined {
  return endpoints.find(
    ({ workload, address }) =>
      workload === to.name && address.address === listen.address && address.port === listen.port,
  );
}

function isSame(one: ServicePortName, other: ServicePortName): boolean {
  return (
    one.serviceNamespace === other.serviceNamespace &&
    one.serviceName === other.serviceName &&
    one.servicePort === other.servicePort
  );
}
