/**
 * Where a proxy takes the connections of its pod's callers: one listener for all where the kernel leads them to it, as Istio
 * lays it out, or one for each port on loopback.
 */
import type { SocketAddress } from "../../policy/workload.ts";
import type { InboundPort, WorkloadView } from "../../policy/workload-view.ts";
import type { EnvoyListener, ExtensionConfig, FilterChain } from "../envoy-json.ts";
import { BLACK_HOLE, INBOUND_PASSTHROUGH, inboundClusterName } from "../istio-names.ts";
import { tcpProxy } from "../network-filters.ts";
import type { CapturePorts, ProxySettings } from "../proxy-settings.ts";
import { NO_PART, rememberedByParts } from "../remembered.ts";
import { refusalLogs } from "./access-logs.ts";
import { alikeInbound } from "./alike-inbound.ts";
import { inspectionOf } from "./chain-kinds.ts";
import { filterChains, type InboundContext, type InboundWay } from "./filter-chains.ts";
import type { AuthorizeChain } from "./judged-chain.ts";
import { inspectors, ORIGINAL_DESTINATION } from "./listener-filters.ts";

export interface InboundListeners {
  readonly listeners: readonly EnvoyListener[];
  /** Each once. */
  readonly extensionConfigs: readonly ExtensionConfig[];
}

/** The same objects for all pods, and for as long as, nothing differs in how callers are taken. */
export const inboundListeners: (
  view: WorkloadView,
  settings: ProxySettings,
  authorize: AuthorizeChain,
) => InboundListeners = rememberedByParts(
  ({ inbound, outbound, trust, ...view }, settings, authorize) => [
    authorize,
    settings,
    trust,
    view.telemetry ?? NO_PART,
    view.proxyHeaders ?? NO_PART,
    view.interception ?? NO_PART,
    view.gateway ?? NO_PART,
    view.telemetry?.tracing === undefined ? NO_PART : outbound, // where spans go
    inbound.authorization,
    settings.capture === undefined ? inbound : alikeInbound(inbound),
  ],
  makeListeners,
);

function makeListeners(
  view: WorkloadView,
  settings: ProxySettings,
  authorize: AuthorizeChain,
): InboundListeners {
  const context: InboundContext = { view, settings, authorize };
  const { capture } = settings;
  const built =
    capture === undefined
      ? view.inbound.ports.map((port) => ownListener(port, context))
      : [virtualInbound(capture, context)];
  const configs = built.flatMap(({ extensionConfigs }) => extensionConfigs);
  return {
    listeners: built.map(({ listener }) => listener),
    extensionConfigs: [...new Map(configs.map((config) => [config.name, config])).values()],
  };
}

interface BuiltListener {
  readonly listener: EnvoyListener;
  readonly extensionConfigs: readonly ExtensionConfig[];
}

function ownListener(port: InboundPort, context: InboundContext): BuiltListener {
  const { containerPort, protocol, mutualTls, listen } = port;
  const way = { ...port, cluster: inboundClusterName(port) };
  const { chains, extensionConfigs } = filterChains(way, context);
  const inspection = new Map([[containerPort, inspectionOf(mutualTls.mode, protocol)]]);
  const listener = {
    name: `${listen.address}_${listen.port}`,
    address: addressOf(listen),
    ...shared(context.view),
    listenerFilters: inspectors(inspection),
    filterChains: chains,
  };
  return { listener, extensionConfigs };
}

const ANY_ADDRESS = "0.0.0.0";
const ANY_ADDRESS_6 = "::";

function virtualInbound({ inboundPort }: CapturePorts, context: InboundContext): BuiltListener {
  const { view } = context;
  const ways = [...undeclaredWays(view), ...declaredWays(view)];
  const built = ways.map((way) => filterChains(way, context));
  const inspection = new Map(
    ways.flatMap(({ destinationPort, mutualTls, protocol }) =>
      destinationPort === undefined
        ? []
        : [[destinationPort, inspectionOf(mutualTls.mode, protocol)] as const],
    ),
  );
  const others = ways.find(({ destinationPort }) => destinationPort === undefined);
  const listener = {
    name: "virtualInbound",
    address: addressOf({ address: ANY_ADDRESS, port: inboundPort }),
    additionalAddresses: [{ address: addressOf({ address: ANY_ADDRESS_6, port: inboundPort }) }],
    ...shared(view),
    listenerFilters: [
      ORIGINAL_DESTINATION,
      ...inspectors(inspection, others && inspectionOf(others.mutualTls.mode, others.protocol)),
    ],
    filterChains: [blackhole(inboundPort), ...built.flatMap(({ chains }) => chains)],
  };
  return { listener, extensionConfigs: built.flatMap(({ extensionConfigs }) => extensionConfigs) };
}

/** Of ports that nobody declared: those with a mode of their own, and all others (PA-17, PA-18). */
function undeclaredWays({ inbound, interception }: WorkloadView): readonly InboundWay[] {
  const others = interception?.undeclaredPorts;
  if (others === undefined) return [];
  const declared = new Set(inbound.ports.map(({ containerPort }) => containerPort));
  const way = { protocol: "auto", cluster: INBOUND_PASSTHROUGH } as const;
  const ofTheirOwn = others.ports.filter(({ containerPort }) => !declared.has(containerPort));
  return [
    ...ofTheirOwn.map(({ containerPort, mutualTls }) => ({
      ...way,
      name: `${INBOUND_PASSTHROUGH}:${containerPort}`,
      mutualTls,
      containerPort,
      destinationPort: containerPort,
    })),
    { ...way, mutualTls: others.mutualTls },
  ];
}

function declaredWays({ inbound }: WorkloadView): readonly InboundWay[] {
  return inbound.ports.map((port) => ({
    ...port,
    destinationPort: port.containerPort,
    cluster: inboundClusterName(port),
  }));
}

/** Whoever calls the proxy's own port was led here by nobody (PA-40). */
function blackhole(inboundPort: number): FilterChain {
  return {
    name: "virtualInbound-blackhole",
    filterChainMatch: { destinationPort: inboundPort },
    filters: [tcpProxy(BLACK_HOLE)],
  };
}

/** PA-41: a client that says nothing is waited for. */
function shared({ telemetry }: WorkloadView): Pick<EnvoyListener, "trafficDirection"> {
  return {
    trafficDirection: "INBOUND",
    listenerFiltersTimeout: "0s",
    continueOnListenerFiltersTimeout: true,
    ...refusalLogs(telemetry?.inbound),
  } as Pick<EnvoyListener, "trafficDirection">;
}

function addressOf({ address, port }: SocketAddress): NonNullable<EnvoyListener["address"]> {
  return { socketAddress: { address, portValue: port } };
}
