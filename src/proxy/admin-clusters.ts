/** Where a sidecar's connections can lead, as its administration tells it: one cluster for each port of each service, and of the pod itself. */
import type { PortProtocol } from "../api/service.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type {
  AppliedTrafficPolicy,
  Destination,
  EffectiveClientTls,
  Endpoint,
  InboundPort,
  NetworkRefusal,
  WorkloadView,
} from "../policy/workload-view.ts";
import { BLACK_HOLE, INBOUND_PASSTHROUGH, PASSTHROUGH } from "./cluster-names.ts";

export interface ClusterDump {
  /** `outbound|8080||api.production.svc.cluster.local`, `inbound|8080||`, or a name without bars for addresses that are no service's. */
  readonly name: string;
  readonly direction: "inbound" | "outbound";
  /** Of a service. */
  readonly host?: string;
  readonly port?: number;
  readonly protocol?: PortProtocol;
  /** What a DestinationRule demands; absent: automatic. */
  readonly clientTls?: EffectiveClientTls;
  /** The same of how calls are spread and limited. */
  readonly trafficPolicy?: AppliedTrafficPolicy;
  /** Who the callee may prove to be. */
  readonly identities?: readonly SpiffeId[];
  readonly serverName?: string;
  readonly endpoints: readonly EndpointDump[];
}

export interface EndpointDump {
  readonly address: SocketAddress;
  /** Absent for the pod's own application. */
  readonly workload?: string;
  /** Whether a connection to it is mutual TLS. */
  readonly mutualTls: boolean;
  /** "refused": NetworkPolicies keep this pod away from it. Endpoints that are not ready are not told to a sidecar. */
  readonly state: "ready" | "refused";
  readonly refusedBy?: NetworkRefusal;
}

/** Sorted by name within each direction, inbound first. */
export function describeClusters({
  inbound,
  outbound,
  interception,
}: WorkloadView): readonly ClusterDump[] {
  const undeclared = interception === undefined ? [] : passthroughClusters(interception);
  const own = inbound.ports.map(ownCluster);
  const others = outbound.destinations.map(serviceCluster);
  return [...undeclared, ...own, ...others].sort(byDirectionAndName);
}

export function inboundClusterName({ containerPort }: Pick<InboundPort, "containerPort">): string {
  return `inbound|${containerPort}||`;
}

export function outboundClusterName({
  host,
  servicePort,
}: Pick<Destination, "host" | "servicePort">): string {
  return `outbound|${servicePort}||${host}`;
}

/** Where addresses that are no destination's lead. */
export function unknownDestinationCluster({
  unknownDestinations,
}: NonNullable<WorkloadView["interception"]>): string {
  return unknownDestinations === "ALLOW_ANY" ? PASSTHROUGH : BLACK_HOLE;
}

function ownCluster(port: InboundPort): ClusterDump {
  const { containerPort, protocol, application } = port;
  return {
    name: inboundClusterName(port),
    direction: "inbound",
    port: containerPort,
    protocol,
    endpoints: [{ address: application, mutualTls: false, state: "ready" }],
  };
}

function serviceCluster(destination: Destination): ClusterDump {
  const { host, servicePort, protocol, clientTls, trafficPolicy } = destination;
  const { identities, serverName } = destination;
  return {
    name: outboundClusterName(destination),
    direction: "outbound",
    host,
    port: servicePort,
    protocol,
    ...(clientTls && { clientTls }),
    ...(trafficPolicy && { trafficPolicy }),
    identities,
    serverName,
    endpoints: destination.endpoints.map(describeEndpoint),
  };
}

function describeEndpoint({ address, workload, mutualTls, refusedBy }: Endpoint): EndpointDump {
  const state = refusedBy === undefined ? "ready" : "refused";
  return { address, workload, mutualTls, state, ...(refusedBy && { refusedBy }) };
}

function passthroughClusters(
  interception: NonNullable<WorkloadView["interception"]>,
): readonly ClusterDump[] {
  return [
    { name: INBOUND_PASSTHROUGH, direction: "inbound", endpoints: [] },
    { name: unknownDestinationCluster(interception), direction: "outbound", endpoints: [] },
  ];
}

function byDirectionAndName(one: ClusterDump, other: ClusterDump): number {
  const [left, right] = [`${one.direction} ${one.name}`, `${other.direction} ${other.name}`];
  return left < right ? -1 : left === right ? 0 : 1;
}
