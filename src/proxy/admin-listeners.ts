/**
 * Where a sidecar takes connections, as its administration tells it, and where each leads: as its view asks for it. What
 * could not be opened is in the sidecar's log.
 */
import type { PortProtocol } from "../api/service.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type {
  Destination,
  EffectiveMutualTls,
  InboundPort,
  WorkloadView,
} from "../policy/workload-view.ts";
import {
  inboundClusterName,
  outboundClusterName,
  unknownDestinationCluster,
} from "./admin-clusters.ts";
import { gatewayListeners } from "./admin-gateway.ts";
import { INBOUND_PASSTHROUGH } from "./cluster-names.ts";

export interface ListenerDump {
  readonly name: string;
  readonly direction: "inbound" | "outbound";
  readonly addresses: readonly SocketAddress[];
  /** In no order of precedence: at most one fits, but for the one without a `match`, which takes the rest. */
  readonly chains: readonly ChainDump[];
}

export interface ChainDump {
  /** Which connections; absent: all that nothing else fits. */
  readonly match?: {
    /** Where the connection was going; absent: to any address. */
    readonly addresses?: readonly string[];
    readonly port: number;
    /** By which name an HTTP proxy is asked. */
    readonly host?: string;
  };
  /** Absent where it is found out, or does not matter. */
  readonly protocol?: PortProtocol;
  /** What the pod demands of callers. */
  readonly mutualTls?: EffectiveMutualTls;
  readonly cluster: string;
}

type CaptureDump = Pick<CaptureSettings, "inboundPort" | "outboundPort">;

export function describeListeners(
  view: WorkloadView,
  capture: CaptureDump | undefined,
): readonly ListenerDump[] {
  const listeners =
    capture === undefined
      ? [...ownPortListeners(view), ...callListeners(view)]
      : [inboundCapture(view, capture), outboundCapture(view, capture)];
  return [...gatewayListeners(view), ...listeners];
}

function ownPortListeners({ inbound }: WorkloadView): readonly ListenerDump[] {
  return inbound.ports.map((port) => ({
    name: `inbound ${port.containerPort}`,
    direction: "inbound",
    addresses: [port.listen],
    chains: [withoutMatch(ownPortChain(port))],
  }));
}

function callListeners({ outbound }: WorkloadView): readonly ListenerDump[] {
  const { httpProxy, destinations } = outbound;
  const proxy: ListenerDump[] =
    httpProxy === undefined
      ? []
      : [
          {
            name: "HTTP proxy",
            direction: "outbound",
            addresses: [httpProxy],
            chains: destinations.map(proxiedChain),
          },
        ];
  const direct = destinations.flatMap((destination): ListenerDump[] =>
    destination.listen === undefined
      ? []
      : [
          {
            name: outboundClusterName(destination),
            direction: "outbound",
            addresses: [destination.listen],
            chains: [withoutMatch(callChain(destination))],
          },
        ],
  );
  return [...proxy, ...direct];
}

function inboundCapture(
  { inbound, interception }: WorkloadView,
  { inboundPort: port }: CaptureDump,
): ListenerDump {
  const declared = new Set(inbound.ports.map(({ containerPort }) => containerPort));
  const others = interception?.undeclaredPorts;
  const ofTheirOwn = (others?.ports ?? []).filter((one) => !declared.has(one.containerPort));
  return {
    name: "inbound capture",
    direction: "inbound",
    addresses: ["0.0.0.0", "::"].map((address) => ({ address, port })),
    chains: [
      ...inbound.ports.map(ownPortChain),
      ...ofTheirOwn.map(({ containerPort, mutualTls }) => ({
        match: { port: containerPort },
        mutualTls,
        cluster: INBOUND_PASSTHROUGH,
      })),
      ...(others === undefined
        ? []
        : [{ mutualTls: others.mutualTls, cluster: INBOUND_PASSTHROUGH }]),
    ],
  };
}

function outboundCapture(
  { outbound, interception }: WorkloadView,
  { outboundPort: port }: CaptureDump,
): ListenerDump {
  return {
    name: "outbound capture",
    direction: "outbound",
    addresses: ["127.0.0.1", "::1"].map((address) => ({ address, port })),
    chains: [
      ...outbound.destinations.map(callChain),
      ...(interception === undefined ? [] : [{ cluster: unknownDestinationCluster(interception) }]),
    ],
  };
}

function ownPortChain(port: InboundPort): ChainDump {
  const { containerPort, protocol, mutualTls } = port;
  return {
    match: { port: containerPort },
    protocol,
    mutualTls,
    cluster: inboundClusterName(port),
  };
}

function proxiedChain(destination: Destination): ChainDump {
  const { host, servicePort, protocol } = destination;
  return {
    match: { host, port: servicePort },
    protocol,
    cluster: outboundClusterName(destination),
  };
}

/** A headless service is called by the addresses of its pods. */
function callChain(destination: Destination): ChainDump {
  const { servicePort, protocol, headless, addresses, endpoints } = destination;
  const called = headless
    ? endpoints.flatMap(({ podAddresses = [] }) => podAddresses)
    : (addresses ?? []);
  return {
    match: { addresses: called, port: servicePort },
    protocol,
    cluster: outboundClusterName(destination),
  };
}

/** A listener of its own takes nothing else. */
function withoutMatch({ match: _, ...chain }: ChainDump): ChainDump {
  return chain;
}
