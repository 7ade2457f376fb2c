/**
 * Where the kernel leads an application's calls: one listener takes them all, and hands each over to the one for its
 * address, or for its port, as Istio lays it out.
 */
import type { SocketAddress } from "../../policy/workload.ts";
import type { Interception } from "../../policy/workload-view.ts";
import type { EnvoyListener, FilterChain } from "../envoy-json.ts";
import { BLACK_HOLE, PASSTHROUGH } from "../istio-names.ts";
import type { CapturePorts } from "../proxy-settings.ts";
import { isByHost, requestPorts } from "../routes/outbound-routes.ts";
import { prefixRange, socketAddress } from "./address-ranges.ts";
import {
  type CalledChains,
  type CalledDestination,
  type CallerChains,
  calledChains,
  withMatchesOnce,
} from "./called-chains.ts";
import type { AnyDestination } from "./destination-reach.ts";
import { inspected } from "./inspectors.ts";
import { outboundHttp } from "./outbound-http.ts";
import { streamTo, streamToCluster } from "./stream-filters.ts";

const ANY_ADDRESS = "0.0.0.0";
const ANY_IPV6_ADDRESS = "::";
const LOOPBACK = "127.0.0.1";
const IPV6_LOOPBACK = "::1";

export function capturedListeners(
  caller: CallerChains,
  interception: Interception,
  capture: CapturePorts,
): readonly EnvoyListener[] {
  const { destinations } = caller.outbound;
  return [
    ...addressListeners(destinations, caller),
    ...portListeners(caller, interception, capture),
    virtualOutbound(caller, interception, capture),
  ];
}

/** For what is called by an address of its own and is more than requests for hosts; of headless services by each pod's. */
function addressListeners(
  destinations: readonly AnyDestination[],
  caller: CallerChains,
): readonly EnvoyListener[] {
  const taken = new Set<string>();
  const free = (at: SocketAddress): boolean => {
    const key = nameOf(at);
    if (taken.has(key)) return false;
    taken.add(key);
    return true;
  };
  const listener = (
    addresses: readonly SocketAddress[],
    called: CalledDestination,
  ): readonly EnvoyListener[] => {
    const own = addresses.filter(free);
    return own.length === 0 ? [] : [handedOver(own, calledChains(called, caller))];
  };
  const services = destinations.flatMap((destination) => {
    const { protocol, servicePort: port, addresses = [], serviceEntry } = destination;
    if (protocol === "http" || protocol === "http2" || serviceEntry?.toldBySni) return [];
    return listener(
      addresses.map((address) => ({ address, port })),
      { destination },
    );
  });
  const pods = destinations
    .filter(({ headless }) => headless)
    .flatMap((destination) =>
      destination.endpoints.flatMap(({ address: only, podAddresses = [], refusedBy }) =>
        refusedBy !== undefined
          ? []
          : listener(
              podAddresses.map((address) => ({ address, port: only.port })),
              { destination, only },
            ),
      ),
    );
  return [...services, ...pods];
}

/** For whatever is told apart by what is said, on whatever address: hosts of requests, server names; and by ranges. */
function portListeners(
  caller: CallerChains,
  interception: Interception,
  { inboundPort }: CapturePorts,
): readonly EnvoyListener[] {
  const { outbound } = caller;
  const bySaying = outbound.destinations.filter(
    ({ serviceEntry, protocol }) =>
      serviceEntry?.toldBySni || (serviceEntry?.ranges !== undefined && protocol !== "http"),
  );
  const ports = new Set([
    ...requestPorts(outbound),
    ...bySaying.map(({ servicePort }) => servicePort),
  ]);
  return [...ports]
    .filter((port) => port !== inboundPort) // Envoy has no two listeners at one address; callers come first
    .sort((one, other) => one - other)
    .map((port) => {
      const at = { address: ANY_ADDRESS, port };
      const own = bySaying.filter(({ servicePort }) => servicePort === port);
      const chains = portChains({ port, told: own }, caller, interception);
      return handedOver([at, { address: ANY_IPV6_ADDRESS, port }], chains);
    });
}

function portChains(
  { port, told }: { readonly port: number; readonly told: readonly AnyDestination[] },
  caller: CallerChains,
  interception: Interception,
): CalledChains {
  const logs = caller.telemetry?.outbound ?? [];
  const carriesRequests = requestPorts(caller.outbound).includes(port);
  const http = outboundHttp(caller, {
    statPrefix: `outbound_0.0.0.0_${port}`,
    routes: String(port),
  });
  const free = oncePerRange();
  const sniffed = told.length > 0 || caller.outbound.destinations.some(isSniffed(port));
  if (carriesRequests && !sniffed) return { chains: [], otherwise: caller.chain([http]) };
  const bySaying = told.flatMap((destination) => {
    const { host, serviceEntry } = destination;
    const filters = [streamTo(destination, logs)];
    if (!serviceEntry?.toldBySni) {
      const prefixRanges = (serviceEntry?.ranges ?? []).filter(free).map(prefixRange);
      return prefixRanges.length === 0 ? [] : [caller.chain(filters, { prefixRanges })];
    }
    const serverNames = host === "*" ? {} : { serverNames: [host] };
    return [caller.chain(filters, { transportProtocol: "tls", ...serverNames })];
  });
  const requests = caller.chain([http], {
    transportProtocol: "raw_buffer",
    applicationProtocols: ["http/1.0", "http/1.1", "h2c"],
  });
  return {
    chains: withMatchesOnce([...bySaying, ...(carriesRequests ? [requests] : [])]),
    otherwise: toNobodyKnown(caller, interception),
  };
}

/** Envoy refuses a listener, and all that it carries, for one range in two chains: whoever has it first keeps it. */
function oncePerRange(): (range: string) => boolean {
  const taken = new Set<string>();
  return (range) => {
    const isFree = !taken.has(range);
    taken.add(range);
    return isFree;
  };
}

function isSniffed(port: number): (destination: AnyDestination) => boolean {
  return (one) => one.servicePort === port && one.protocol === "auto" && isByHost(one);
}

function virtualOutbound(
  caller: CallerChains,
  interception: Interception,
  { outboundPort }: CapturePorts,
): EnvoyListener {
  const loop = streamToCluster(BLACK_HOLE);
  return {
    name: "virtualOutbound",
    address: socketAddress({ address: LOOPBACK, port: outboundPort }),
    additionalAddresses: [
      { address: socketAddress({ address: IPV6_LOOPBACK, port: outboundPort }) },
    ],
    useOriginalDst: true,
    filterChains: [
      {
        ...caller.chain([loop], { destinationPort: outboundPort }),
        name: "virtualOutbound-blackhole",
      },
    ],
    defaultFilterChain: {
      ...toNobodyKnown(caller, interception),
      name: "virtualOutbound-catchall-tcp",
    },
    trafficDirection: "OUTBOUND",
  };
}

function toNobodyKnown(caller: CallerChains, { unknownDestinations }: Interception): FilterChain {
  const name = unknownDestinations === "ALLOW_ANY" ? PASSTHROUGH : BLACK_HOLE;
  const logs = caller.telemetry?.outbound ?? [];
  return caller.chain([streamToCluster(name, logs)]);
}

/** Never opened: the listener of all captured connections hands over to it. */
function handedOver(
  [first = { address: ANY_ADDRESS, port: 0 }, ...others]: readonly SocketAddress[],
  { chains, otherwise }: CalledChains,
): EnvoyListener {
  return {
    name: nameOf(first),
    address: socketAddress(first),
    ...(others.length > 0 && {
      additionalAddresses: others.map((one) => ({ address: socketAddress(one) })),
    }),
    ...inspected(chains),
    ...(chains.length === 0
      ? { filterChains: [otherwise] }
      : { filterChains: chains, defaultFilterChain: otherwise }),
    trafficDirection: "OUTBOUND",
    bindToPort: false,
  };
}

function nameOf({ address, port }: SocketAddress): string {
  return `${address}_${port}`;
}
