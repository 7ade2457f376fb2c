/**
 * Where a sidecar takes connections. Where the kernel leads them to it, as Istio lays it out: one listener for all that
 * comes in, one for each address or port that is called. Where it has ports of its own on loopback, these.
 */
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";
import type { EnvoyListener, FilterChain, NetworkFilter } from "./envoy-json.ts";
import { gatewayListeners } from "./gateway-listeners.ts";
import { inboundChains } from "./inbound-chains.ts";
import {
  BLACK_HOLE,
  INBOUND_PASSTHROUGH,
  inboundClusterName,
  outboundClusterName,
  PASSTHROUGH,
} from "./istio-names.ts";
import { connectionManager, tcpProxy } from "./network-filters.ts";
import type { CapturePorts } from "./proxy-settings.ts";
import { outboundRoutes } from "./routes.ts";

const ANY_ADDRESS = "0.0.0.0";
/** Istio's name of the routes that an HTTP proxy follows. */
const HTTP_PROXY = "http_proxy";

export function envoyListeners(
  view: WorkloadView,
  capture: CapturePorts | undefined,
): readonly EnvoyListener[] {
  const listeners =
    capture === undefined
      ? [...ownPorts(view), ...directCalls(view), ...httpProxies(view)]
      : [virtualInbound(view, capture), ...capturedCalls(view), virtualOutbound(view, capture)];
  return [...gatewayListeners(view), ...listeners];
}

function ownPorts(view: WorkloadView): readonly EnvoyListener[] {
  return view.inbound.ports.map((port) => ({
    name: `${port.listen.address}_${port.listen.port}`,
    address: addressOf(port.listen),
    filterChains: inboundChains({ ...port, cluster: inboundClusterName(port) }, view),
    trafficDirection: "INBOUND",
  }));
}

function virtualInbound(view: WorkloadView, { inboundPort }: CapturePorts): EnvoyListener {
  const { inbound, interception } = view;
  const declared = new Set(inbound.ports.map(({ containerPort }) => containerPort));
  const others = interception?.undeclaredPorts;
  const ofTheirOwn = (others?.ports ?? []).filter((one) => !declared.has(one.containerPort));
  const undeclared = [
    ...ofTheirOwn.map(({ containerPort, mutualTls }) => ({
      destinationPort: containerPort,
      mutualTls,
    })),
    ...(others === undefined ? [] : [{ mutualTls: others.mutualTls }]),
  ];
  return {
    name: "virtualInbound",
    address: addressOf({ address: ANY_ADDRESS, port: inboundPort }),
    additionalAddresses: [{ address: addressOf({ address: "::", port: inboundPort }) }],
    filterChains: [
      ...undeclared.flatMap((way) =>
        inboundChains({ ...way, protocol: "auto", cluster: INBOUND_PASSTHROUGH }, view),
      ),
      ...inbound.ports.flatMap((port) =>
        inboundChains(
          { ...port, destinationPort: port.containerPort, cluster: inboundClusterName(port) },
          view,
        ),
      ),
    ],
    trafficDirection: "INBOUND",
  };
}

/** One for each port of HTTP, which routes by host; one for each address of what is passed on as bytes. */
function capturedCalls(view: WorkloadView): readonly EnvoyListener[] {
  const byRoute = outboundRoutes(view).map(({ name = "" }) =>
    outbound(
      { address: ANY_ADDRESS, port: Number(name) },
      { filters: [connectionManager({ statPrefix: `outbound_0.0.0.0_${name}`, routes: name })] },
    ),
  );
  const passedOn = view.outbound.destinations
    .filter(({ protocol }) => protocol === "tcp" || protocol === "auto")
    .flatMap((destination) =>
      calledAddresses(destination).map((address) =>
        outbound({ address, port: destination.servicePort }, { filters: callFilters(destination) }),
      ),
    );
  return [...byRoute, ...passedOn];
}

function virtualOutbound(
  { interception }: WorkloadView,
  { outboundPort }: CapturePorts,
): EnvoyListener {
  const open = interception?.unknownDestinations === "ALLOW_ANY";
  return {
    name: "virtualOutbound",
    address: addressOf({ address: "127.0.0.1", port: outboundPort }),
    additionalAddresses: [{ address: addressOf({ address: "::1", port: outboundPort }) }],
    filterChains: [],
    defaultFilterChain: {
      name: "virtualOutbound-catchall-tcp",
      filters: [tcpProxy(open ? PASSTHROUGH : BLACK_HOLE)],
    },
    trafficDirection: "OUTBOUND",
  };
}

/** On loopback: the ports of services that are not called through the HTTP proxy. */
function directCalls({ outbound: { destinations } }: WorkloadView): readonly EnvoyListener[] {
  return destinations.flatMap((destination) => {
    const { listen, servicePort, protocol } = destination;
    if (listen === undefined) return [];
    const http = protocol !== "tcp" && protocol !== "auto";
    const filters = http
      ? [
          connectionManager({
            statPrefix: outboundClusterName(destination),
            routes: String(servicePort),
          }),
        ]
      : callFilters(destination);
    const { bindToPort: _, ...bound } = outbound(listen, { filters });
    return [bound];
  });
}

function httpProxies({
  outbound: { httpProxy, destinations },
}: WorkloadView): readonly EnvoyListener[] {
  if (httpProxy === undefined) return [];
  const ports = [...new Set(destinations.map(({ servicePort }) => servicePort))].sort(
    (a, b) => a - b,
  );
  return [
    {
      name: HTTP_PROXY,
      address: addressOf(httpProxy),
      filterChains: ports.map((port) => ({
        filterChainMatch: { destinationPort: port },
        filters: [connectionManager({ statPrefix: HTTP_PROXY, routes: String(port) })],
      })),
      trafficDirection: "OUTBOUND",
    },
  ];
}

/** A headless service is called by the addresses of its pods. */
function calledAddresses({ headless, addresses = [], endpoints }: Destination): readonly string[] {
  return headless ? endpoints.flatMap(({ podAddresses = [] }) => podAddresses) : addresses;
}

function callFilters(destination: Destination): readonly NetworkFilter[] {
  return [tcpProxy(outboundClusterName(destination))];
}

/** Istio's listeners for single addresses are never opened: the one of all captured connections hands over to them. */
function outbound(at: SocketAddress, chain: FilterChain): EnvoyListener {
  return {
    name: `${at.address}_${at.port}`,
    address: addressOf(at),
    filterChains: [chain],
    trafficDirection: "OUTBOUND",
    bindToPort: false,
  };
}

function addressOf({ address, port }: SocketAddress): NonNullable<EnvoyListener["address"]> {
  return { socketAddress: { address, portValue: port } };
}
