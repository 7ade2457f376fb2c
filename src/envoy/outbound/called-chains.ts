/** The chains of filters by which connections to one destination go: as requests, as bytes, or as users' routes say. */
import type { StreamRoute } from "../../policy/routes/stream-route.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { FilterChain, FilterChainMatch, NetworkFilter } from "../envoy-json.ts";
import { fingerprint } from "../fingerprint.ts";
import { OWN_METADATA, outboundClusterName } from "../istio-names.ts";
import { destinationRouteName, singleEndpointRoutes } from "../routes/outbound-routes.ts";
import { prefixRange } from "./address-ranges.ts";
import type { AnyDestination } from "./destination-reach.ts";
import { type Caller, outboundHttp } from "./outbound-http.ts";
import { streamByRoute, streamTo } from "./stream-filters.ts";

export interface CalledChains {
  readonly chains: readonly FilterChain[];
  /** What none of them is for. */
  readonly otherwise: FilterChain;
}

export interface CalledDestination {
  readonly destination: AnyDestination;
  /** The one endpoint that is meant, of a headless service. */
  readonly only?: SocketAddress;
  /** Routes that are told apart; absent: those of the destination alone. */
  readonly routes?: string;
}

/** What plaintext HTTP is called by Envoy's inspector. */
const HTTP_PROTOCOLS = ["http/1.0", "http/1.1", "h2c"];

export function calledChains(called: CalledDestination, caller: CallerChains): CalledChains {
  const { protocol } = called.destination;
  if (protocol === "http" || protocol === "http2") {
    return { chains: [], otherwise: caller.chain([requests(called, caller)]) };
  }
  const streams = streamChains(called, caller);
  if (protocol === "tcp") return streams;
  const http = caller.chain([requests(called, caller)], {
    transportProtocol: "raw_buffer",
    applicationProtocols: HTTP_PROTOCOLS,
  });
  return { ...streams, chains: [http, ...streams.chains] };
}

/** Who calls, and how a chain of its is made. */
export interface CallerChains extends Caller {
  readonly chain: (filters: readonly NetworkFilter[], match?: FilterChainMatch) => FilterChain;
}

export function callerChains(caller: Caller, trusted: string): CallerChains {
  return {
    ...caller,
    chain: (filters, filterChainMatch) => ({
      ...(filterChainMatch && { filterChainMatch }),
      filters,
      metadata: { filterMetadata: { [OWN_METADATA]: { trust: trusted } } },
    }),
  };
}

/** Bytes: by users' routes, of which none may be for a connection, or to the destination itself. */
export function streamChains(
  { destination, only }: CalledDestination,
  caller: CallerChains,
): CalledChains {
  const logs = caller.telemetry?.outbound ?? [];
  const byRoute = routesOf(destination, caller).map((route) => ({
    match: matchOf(route),
    filters: [streamByRoute(route, destination, logs)],
  }));
  const any = byRoute.findIndex(({ match }) => match === undefined);
  const chosen = any < 0 ? byRoute : byRoute.slice(0, any);
  const others = byRoute[any]?.filters ?? [streamTo(destination, logs, only)];
  return {
    chains: withMatchesOnce(chosen.map(({ match, filters }) => caller.chain(filters, match))),
    otherwise: caller.chain(others),
  };
}

/** Envoy refuses two chains for the same connections: the first counts. */
export function withMatchesOnce(chains: readonly FilterChain[]): readonly FilterChain[] {
  const known = new Map<string, FilterChain>();
  for (const chain of chains) {
    const key = fingerprint(chain.filterChainMatch ?? {});
    if (!known.has(key)) known.set(key, chain);
  }
  return [...known.values()];
}

function requests(
  { destination, only, routes }: CalledDestination,
  caller: CallerChains,
): NetworkFilter {
  return outboundHttp(caller, {
    statPrefix: outboundClusterName(destination),
    routes:
      only === undefined
        ? (routes ?? destinationRouteName(destination))
        : singleEndpointRoutes(destination, caller.outbound, only),
  });
}

function routesOf(
  { host, servicePort }: AnyDestination,
  { outbound: { streamRoutes = [] } }: Caller,
): readonly StreamRoute[] {
  return streamRoutes.filter(
    ({ port, hosts }) =>
      (port === undefined || port === servicePort) &&
      (hosts === undefined || hosts.some((one) => isFor(one, host))),
  );
}

function isFor(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*")) return pattern === host;
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/** @returns undefined of a route for whatever comes */
export function matchOf({
  serverNames,
  destinationSubnets,
}: StreamRoute): FilterChainMatch | undefined {
  const names = serverNames?.includes("*") ? [] : serverNames;
  if (names === undefined && destinationSubnets === undefined) return undefined;
  return {
    ...(names !== undefined && {
      transportProtocol: "tls",
      ...(names.length > 0 && { serverNames: names }),
    }),
    ...(destinationSubnets && { prefixRanges: destinationSubnets.map(prefixRange) }),
  };
}
