/** Where a gateway takes connections: a listener for each port, a chain for each server of a Gateway. */
import type { GatewayListener, GatewayServer } from "../../policy/gateway-view.ts";
import { gatewayServerFor } from "../../policy/routes/gateway-server-for.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type {
  EnvoyListener,
  ExtensionConfig,
  FilterChain,
  FilterChainMatch,
  NetworkFilter,
} from "../envoy-json.ts";
import { trustFingerprint } from "../fingerprint.ts";
import { accessLogs, refusalLogs } from "../inbound/access-logs.ts";
import { HANDSHAKE_TIMEOUT } from "../inbound/downstream-tls.ts";
import type { AuthorizeChain, JudgedChain } from "../inbound/judged-chain.ts";
import { judgedHttp, judgedTcp } from "../inbound/judged-traffic.ts";
import { networkAdmissionFilters } from "../inbound/network-admission-filters.ts";
import { tracingTerms } from "../inbound/tracing.ts";
import { BLACK_HOLE, OWN_METADATA } from "../istio-names.ts";
import { connectionManager } from "../network-filters.ts";
import { socketAddress } from "../outbound/address-ranges.ts";
import { matchOf, withMatchesOnce } from "../outbound/called-chains.ts";
import { inspected } from "../outbound/inspectors.ts";
import { ROUTE_FILTERS } from "../outbound/outbound-http.ts";
import { clustersOfRoute, streamToCluster, streamToClusters } from "../outbound/stream-filters.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { gatewayRouteName } from "./gateway-routes.ts";
import { gatewayTlsSocket, isEnded, isUnservable } from "./gateway-tls-socket.ts";
import { MESH_PROTOCOLS, unopenedDestinations } from "./passed-through.ts";

export interface GatewayListeners {
  readonly listeners: readonly EnvoyListener[];
  readonly extensionConfigs: readonly ExtensionConfig[];
}

interface GatewayContext {
  readonly view: WorkloadView;
  readonly settings: ProxySettings;
  readonly authorize: AuthorizeChain;
  readonly listener: GatewayListener;
}

/** Empty of a pod that is no gateway. */
export function gatewayListeners(
  view: WorkloadView,
  settings: ProxySettings,
  authorize: AuthorizeChain,
): GatewayListeners {
  const built = (view.gateway?.listeners ?? []).map((listener) =>
    gatewayListener({ view, settings, authorize, listener }),
  );
  return {
    listeners: built.map(({ listener }) => listener),
    extensionConfigs: built.flatMap(({ extensionConfigs }) => extensionConfigs),
  };
}

/** Of all addresses; where the kernel leads connections, the listener that takes them hands over to it. */
const ANY_ADDRESS = "0.0.0.0";
const ANY_IPV6_ADDRESS = "::";

function gatewayListener(context: GatewayContext): {
  readonly listener: EnvoyListener;
  readonly extensionConfigs: readonly ExtensionConfig[];
} {
  const { listener, settings, view } = context;
  const built = listener.servers.flatMap((server) => serverChains(server, context));
  const chains = withMatchesOnce(built.map(({ chain }) => chain));
  const port = listener.containerPort;
  const place: EnvoyListener =
    settings.capture === undefined
      ? { address: socketAddress(listener.listen) }
      : {
          address: socketAddress({ address: ANY_ADDRESS, port }),
          additionalAddresses: [{ address: socketAddress({ address: ANY_IPV6_ADDRESS, port }) }],
          bindToPort: false,
        };
  const { address = "", port: at } = listener.listen;
  return {
    listener: {
      name: settings.capture === undefined ? `${address}_${at}` : `${ANY_ADDRESS}_${port}`,
      ...place,
      ...inspected(chains),
      ...refusalLogs(view.telemetry?.outbound),
      filterChains: chains,
      trafficDirection: "OUTBOUND",
    },
    extensionConfigs: built.flatMap(({ extensionConfigs }) => extensionConfigs),
  };
}

interface Built {
  readonly chain: FilterChain;
  readonly extensionConfigs: readonly ExtensionConfig[];
}

function serverChains(server: GatewayServer, context: GatewayContext): readonly Built[] {
  const { traffic, tls } = server;
  if (tls !== undefined && isUnservable(tls)) return [refused(server)];
  if (traffic.is === "http") return [requests(server, context)];
  if (traffic.is === "by-server-name") return unopened(server, context);
  const streams = traffic.routes.map((route) => {
    const match = streamMatch(server, matchOf(route));
    const logs = accessLogs(context.view.telemetry?.outbound);
    const to = streamToClusters(clustersOfRoute(route, context.listener.port), logs);
    return bytes({ server, match, to, name: route.origin.ref.name }, context);
  });
  return streams;
}

/** The handshake fails, as nobody answers it. */
function refused(server: GatewayServer): Built {
  const chain = {
    filterChainMatch: serverMatch(server) ?? {},
    filters: [streamToCluster(BLACK_HOLE)],
  };
  return { chain, extensionConfigs: [] };
}

function requests(server: GatewayServer, context: GatewayContext): Built {
  const { view, settings, authorize, listener } = context;
  const judged = judgedChain("http", {
    server,
    listener,
    name: gatewayRouteName(server, listener),
  });
  const { httpFilters, terms, connectionFilters, extensionConfigs, fingerprint } = judgedHttp(
    view,
    settings,
    { chain: judged, authorize },
  );
  const manager = connectionManager({
    statPrefix: `outbound_0.0.0.0_${listener.port}`,
    routes: judged.name,
    httpFilters: [...httpFilters, ...ROUTE_FILTERS],
    terms: {
      ...terms,
      ...edgeTerms(view),
      ...accessLogs(view.telemetry?.outbound),
      ...tracingTerms(view, "outbound"),
    },
  });
  const filters = [
    ...networkAdmissionFilters(listener.admission, judged),
    ...connectionFilters,
    manager,
  ];
  return {
    chain: chainOf({ server, filters, match: serverMatch(server), fingerprint }, context),
    extensionConfigs,
  };
}

/** Who stands in front of a gateway is believed as far as users say: nobody else says for whom, or over what, it speaks. */
function edgeTerms({ gatewayTopology }: WorkloadView): Readonly<Record<string, unknown>> {
  const { trustedProxies = 0 } = gatewayTopology ?? {};
  return {
    useRemoteAddress: true,
    ...(trustedProxies > 0 && { xffNumTrustedHops: trustedProxies }),
    // A host has one name, however a client writes it.
    stripTrailingHostDot: true,
  };
}

function unopened(server: GatewayServer, context: GatewayContext): readonly Built[] {
  const { listener, view } = context;
  return unopenedDestinations(view.outbound)
    .filter(({ serverName }) => gatewayServerFor(listener, serverName) === server)
    .map(({ serverName }) =>
      bytes(
        {
          server,
          name: serverName,
          match: {
            transportProtocol: "tls",
            serverNames: [serverName.toLowerCase()],
            applicationProtocols: MESH_PROTOCOLS,
          },
          to: streamToCluster(serverName, view.telemetry?.outbound),
        },
        context,
      ),
    );
}

interface Stream {
  readonly server: GatewayServer;
  /** Of the port's chains this one. */
  readonly name: string;
  readonly match: FilterChainMatch | undefined;
  readonly to: NetworkFilter;
}

function bytes({ server, name, match, to }: Stream, context: GatewayContext): Built {
  const { view, settings, authorize, listener } = context;
  const judged = judgedChain("tcp", { server, listener, name: `${listener.port} ${name}` });
  const { filters, extensionConfigs, fingerprint } = judgedTcp(view, settings, {
    chain: judged,
    authorize,
  });
  const all = [...networkAdmissionFilters(listener.admission, judged), ...filters, to];
  return {
    chain: chainOf({ server, filters: all, match, fingerprint }, context),
    extensionConfigs,
  };
}

function judgedChain(
  level: JudgedChain["level"],
  {
    server: { tls },
    listener,
    name,
  }: {
    readonly server: GatewayServer;
    readonly listener: GatewayListener;
    readonly name: string;
  },
): JudgedChain {
  const transport =
    tls === undefined ? "plaintext" : tls.mode === "ISTIO_MUTUAL" ? "mesh-tls" : "other-tls";
  return { name, level, transport, port: listener.containerPort };
}

function chainOf(
  {
    server,
    filters,
    match,
    fingerprint,
  }: {
    readonly server: GatewayServer;
    readonly filters: readonly NetworkFilter[];
    readonly match: FilterChainMatch | undefined;
    readonly fingerprint: string;
  },
  { view: { trust } }: GatewayContext,
): FilterChain {
  const { tls } = server;
  return {
    ...(match && { filterChainMatch: match }),
    filters,
    ...(tls &&
      isEnded(tls) && {
        transportSocket: gatewayTlsSocket(tls, server, trust),
        transportSocketConnectTimeout: HANDSHAKE_TIMEOUT,
      }),
    metadata: {
      filterMetadata: {
        [OWN_METADATA]: { judgedBy: `${fingerprint}.${trustFingerprint(trust)}` },
      },
    },
  };
}

function serverMatch({ tls, serverNames }: GatewayServer): FilterChainMatch | undefined {
  if (tls === undefined) return undefined;
  return {
    transportProtocol: "tls",
    ...(!serverNames.includes("*") && { serverNames }),
  };
}

/** What a route says of names is narrower than what its server does. */
function streamMatch(
  server: GatewayServer,
  ofRoute: FilterChainMatch | undefined,
): FilterChainMatch | undefined {
  const own = serverMatch(server);
  if (own === undefined || ofRoute === undefined) return ofRoute ?? own;
  return { ...own, ...ofRoute };
}
