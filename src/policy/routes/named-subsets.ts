/** Which subsets the routes of a view name. */
import type { GatewayView } from "../gateway-view.ts";
import type { StreamRoute } from "./stream-route.ts";
import type { VirtualHost } from "./virtual-host.ts";

export interface NamedSubset {
  readonly host: string;
  /** 0: any of the host. */
  readonly port: number;
  readonly subset: string;
}

export interface RoutesOfView {
  readonly virtualHosts: readonly VirtualHost[];
  readonly streamRoutes: readonly StreamRoute[];
}

/** Each once. */
export function namedSubsets({ virtualHosts, streamRoutes }: RoutesOfView): readonly NamedSubset[] {
  const targets = [
    ...streamRoutes.flatMap(({ destinations }) => destinations),
    ...virtualHosts
      .flatMap(({ routes }) => routes)
      .flatMap(({ action }) =>
        action.do === "forward" ? [...action.destinations, ...(action.mirrors ?? [])] : [],
      ),
  ];
  const named = new Map<string, NamedSubset>();
  for (const { host, port, subset } of targets) {
    if (subset !== undefined) named.set(`${host} ${port} ${subset}`, { host, port, subset });
  }
  return [...named.values()];
}

export function routesOfGateway({ listeners }: GatewayView): RoutesOfView {
  const traffic = listeners.flatMap(({ servers }) => servers.map((server) => server.traffic));
  return {
    virtualHosts: traffic.flatMap((one) => (one.is === "http" ? one.virtualHosts : [])),
    streamRoutes: traffic.flatMap((one) => (one.is === "stream" ? one.routes : [])),
  };
}
