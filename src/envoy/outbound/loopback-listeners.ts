/**
 * Where an application calls that has no network of its own: a listener for each destination, and an HTTP proxy. Any
 * program of the machine could connect to a port, and Envoy cannot tell whose connection it is. So the listeners of
 * destinations are sockets in the folder of Envoy's agent, which owns the ports and looks who connects; and the proxy
 * asks for the pod's own password.
 */
import type { SocketAddress } from "../../policy/workload.ts";
import type { Outbound } from "../../policy/workload-view.ts";
import { type EnvoyListener, type NetworkFilter, typeUrl } from "../envoy-json.ts";
import { HTTP_PROXY_ROUTES } from "../routes/http-proxy-routes.ts";
import { socketAddress } from "./address-ranges.ts";
import { type CallerChains, calledChains } from "./called-chains.ts";
import type { AnyDestination } from "./destination-reach.ts";
import { inspected } from "./inspectors.ts";
import { outboundHttp } from "./outbound-http.ts";

/** In Envoy's working directory, which is its agent's: who may use the HTTP proxy, as `htpasswd` writes it, in SHA. */
export const HTTP_PROXY_USERS = "http-proxy-users";
/** There, too: a folder with a socket for each listener of a destination. */
export const CALLS_FOLDER = "calls";

/** For its owner alone: 0600. */
const SOCKET_MODE = 0o600;
const CREDENTIALS = "proxy-authorization";

/** Relative to Envoy's working directory: `calls/127.0.0.1_20001`. */
export function callsSocket({ address, port }: SocketAddress): string {
  return `${CALLS_FOLDER}/${address}_${port}`;
}

const CALLS_SOCKET = new RegExp(`^${CALLS_FOLDER}/(.+)_(\\d{1,5})$`);

/** The port that the agent holds for such a socket. @returns undefined for another path */
export function calledThrough(path: string): SocketAddress | undefined {
  const [, address, port] = CALLS_SOCKET.exec(path) ?? [];
  return address === undefined ? undefined : { address, port: Number(port) };
}

export function loopbackListeners(caller: CallerChains): readonly EnvoyListener[] {
  return [
    ...caller.outbound.destinations.flatMap((destination) => directCalls(destination, caller)),
    ...httpProxy(caller.outbound, caller),
  ];
}

function directCalls(destination: AnyDestination, caller: CallerChains): readonly EnvoyListener[] {
  const { listen } = destination;
  if (listen === undefined) return [];
  const { chains, otherwise } = calledChains({ destination }, caller);
  return [
    {
      name: `${listen.address}_${listen.port}`,
      address: { pipe: { path: callsSocket(listen), mode: SOCKET_MODE } },
      ...inspected(chains),
      ...(chains.length === 0
        ? { filterChains: [otherwise] }
        : { filterChains: chains, defaultFilterChain: otherwise }),
      trafficDirection: "OUTBOUND",
    },
  ];
}

function httpProxy({ httpProxy: at }: Outbound, caller: CallerChains): readonly EnvoyListener[] {
  if (at === undefined) return [];
  const manager = outboundHttp(caller, {
    statPrefix: HTTP_PROXY_ROUTES,
    routes: HTTP_PROXY_ROUTES,
    first: [PASSWORD],
    terms: {
      httpProtocolOptions: { acceptHttp10: true, allowAbsoluteUrl: true },
      upgradeConfigs: [{ upgradeType: "websocket" }, { upgradeType: "CONNECT" }],
    },
  });
  return [
    {
      name: HTTP_PROXY_ROUTES,
      address: socketAddress(at),
      filterChains: [caller.chain([manager])],
      trafficDirection: "OUTBOUND",
    },
  ];
}

/** The file never leaves the pod; what is made of it here is a name. */
const PASSWORD: NetworkFilter = {
  name: "envoy.filters.http.basic_auth",
  typedConfig: {
    "@type": typeUrl("envoy.extensions.filters.http.basic_auth.v3.BasicAuth"),
    users: { filename: HTTP_PROXY_USERS },
    authenticationHeader: CREDENTIALS,
  },
};
