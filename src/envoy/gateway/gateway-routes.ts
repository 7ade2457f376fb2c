/** Where requests go that come to a gateway: a configuration of routes for each of its servers of HTTP. */
import type { GatewayListener, GatewayServer } from "../../policy/gateway-view.ts";
import { gatewayServerFor } from "../../policy/routes/gateway-server-for.ts";
import type { VirtualHost } from "../../policy/routes/virtual-host.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { EnvoyVirtualHost, RouteConfiguration } from "../envoy-json.ts";
import { calledClusters } from "../routes/called-clusters.ts";
import { envoyRoutes, type RoutePlace } from "../routes/route-terms.ts";
import { routeConfiguration } from "../routes/virtual-hosts.ts";

export function gatewayRoutes({ gateway, outbound }: WorkloadView): readonly RouteConfiguration[] {
  return (gateway?.listeners ?? []).flatMap((listener) =>
    listener.servers.flatMap((server) => {
      const { traffic } = server;
      if (traffic.is !== "http") return [];
      const place = { calledPort: listener.port, clusters: calledClusters(outbound) };
      const hosts = traffic.virtualHosts.flatMap((host) =>
        hostOf(host, { server, listener, place }),
      );
      const misdirected = elsewhere(server, listener);
      return [routeConfiguration(gatewayRouteName(server, listener), [...misdirected, ...hosts])];
    }),
  );
}

/** `http.8080`, `https.8443.api.example.com` */
export function gatewayRouteName(
  { tls, serverNames }: Pick<GatewayServer, "tls" | "serverNames">,
  { port }: Pick<GatewayListener, "port">,
): string {
  return tls === undefined ? `http.${port}` : `https.${port}.${serverNames.join(",")}`;
}

interface Served {
  readonly server: GatewayServer;
  readonly listener: GatewayListener;
  readonly place: RoutePlace;
}

function hostOf(
  { domains, routes, httpsRedirect }: VirtualHost,
  { server, listener, place }: Served,
): readonly EnvoyVirtualHost[] {
  const own = domains.filter((domain) => isServedBy(domain, { server, listener }));
  if (own.length === 0) return [];
  return [
    {
      name: `${own[0] ?? "*"}:${place.calledPort}`,
      domains: own,
      routes: routes.flatMap((route) => envoyRoutes(route, place)),
      ...(httpsRedirect && { requireTls: "ALL" }),
    },
  ];
}

/** Any label will do where a name has a wildcard: a server of all such names is asked for. */
const ANY_LABEL = "x--any";

function isServedBy(
  domain: string,
  { server, listener }: Pick<Served, "server" | "listener">,
): boolean {
  if (server.tls === undefined || domain === "*") return true;
  const meant = gatewayServerFor(listener, domain.replace("*", ANY_LABEL));
  return meant === undefined || meant === server;
}

/**
 * RFC 9110 section 15.5.20: what a connection to one server asks of another one of its port would evade the certificate and the
 * demands of that one.
 */
function elsewhere(
  server: GatewayServer,
  { servers }: GatewayListener,
): readonly EnvoyVirtualHost[] {
  if (server.tls === undefined) return [];
  const own = new Set(server.serverNames);
  const domains = servers
    .filter((other) => other !== server)
    .flatMap(({ serverNames }) => serverNames)
    .filter((name) => !own.has(name) && name !== "*");
  if (domains.length === 0) return [];
  return [
    {
      name: "misdirected",
      domains,
      routes: [
        {
          match: { prefix: "/" },
          directResponse: {
            status: 421,
            body: { inlineString: "the connection was made for another host\n" },
          },
        },
      ],
    },
  ];
}
