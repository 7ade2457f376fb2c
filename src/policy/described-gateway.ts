/** What a gateway serves, as data and in words: its ports, hosts and routes. */
import type { ResourceOrigin } from "./decision.ts";
import type {
  GatewayListener,
  GatewayServer,
  GatewayTls,
  GatewayTraffic,
  GatewayView,
} from "./gateway-view.ts";
import { commonHosts } from "./routes/host-pattern.ts";
import { routeSentence, streamRouteSentence } from "./routes/route-sentence.ts";
import type { Outbound } from "./workload-view.ts";

export interface DescribedListener {
  /** What clients call, and where it leads in the pod. */
  readonly port: number;
  readonly containerPort: number;
  readonly servers: readonly DescribedServer[];
}

export interface DescribedServer {
  readonly origins: readonly ResourceOrigin[];
  /** `HTTPS for a.example.com, certificate of Secret istio-ingress/cert` */
  readonly sentence: string;
  readonly hosts: readonly DescribedHost[];
  /** Server names that no route is for: requests for them are answered 404. */
  readonly unrouted: readonly string[];
  /** Present where the server name says where a connection goes, and no route is asked. */
  readonly byServerName?: true;
}

export interface DescribedHost {
  /** Empty where nobody asks for hosts. */
  readonly domains: readonly string[];
  readonly httpsRedirect?: true;
  /** In the order they count. */
  readonly routes: readonly { readonly origin: ResourceOrigin; readonly sentence: string }[];
}

export function describeGateway({ listeners }: GatewayView): readonly DescribedListener[] {
  return listeners.map(({ port, containerPort, servers }: GatewayListener) => ({
    port,
    containerPort,
    servers: servers.map(describeServer),
  }));
}

/** Where the routes of a sidecar lead the calls that its application makes. */
export function describeRoutes({
  virtualHosts = [],
  streamRoutes = [],
}: Outbound): readonly DescribedHost[] {
  return [
    ...hostsOf({ is: "http", virtualHosts }),
    ...(streamRoutes.length > 0 ? hostsOf({ is: "stream", routes: streamRoutes }) : []),
  ];
}

function describeServer(server: GatewayServer): DescribedServer {
  return {
    origins: server.origins,
    sentence: serverInWords(server),
    hosts: hostsOf(server.traffic),
    unrouted: unroutedNames(server),
    ...(server.traffic.is === "by-server-name" && { byServerName: true }),
  };
}

function unroutedNames({ serverNames, traffic }: GatewayServer): readonly string[] {
  if (traffic.is !== "http") return [];
  const domains = traffic.virtualHosts.flatMap((host) => host.domains);
  return serverNames.filter((name) => commonHosts([name], domains).length === 0);
}

function serverInWords({ tls, serverNames, traffic }: GatewayServer): string {
  if (tls === undefined) return traffic.is === "http" ? "HTTP" : "TCP";
  const names = serverNames.includes("*") ? "every server name" : serverNames.join(", ");
  const carried = traffic.is === "http" ? "HTTPS" : "TLS";
  return `${carried} for ${names}, ${tlsInWords(tls)}`;
}

function tlsInWords({ mode, certificates, problem }: GatewayTls): string {
  if (problem !== undefined) return `all handshakes refused: ${problem}`;
  const secrets = certificates.map(({ origin: { ref } }) => `${ref.namespace}/${ref.name}`);
  const certificate = `certificate of Secret ${secrets.join(" and ")}`;
  switch (mode) {
    case "SIMPLE":
      return certificate;
    case "MUTUAL":
      return `${certificate}, and clients must have one`;
    case "OPTIONAL_MUTUAL":
      return `${certificate}, and clients may have one`;
    case "ISTIO_MUTUAL":
      return "with the mesh's certificates on both sides";
    case "PASSTHROUGH":
      return "passed on as it is";
    case "AUTO_PASSTHROUGH":
      return "passed on to the service that the server name says";
  }
}

function hostsOf(traffic: GatewayTraffic): readonly DescribedHost[] {
  switch (traffic.is) {
    case "http":
      return traffic.virtualHosts.map(({ domains, routes, httpsRedirect }) => ({
        domains,
        ...(httpsRedirect && { httpsRedirect }),
        routes: routes.map((route) => ({ origin: route.origin, sentence: routeSentence(route) })),
      }));
    case "stream":
      return [
        {
          domains: [],
          routes: traffic.routes.map((route) => ({
            origin: route.origin,
            sentence: streamRouteSentence(route),
          })),
        },
      ];
    case "by-server-name":
      return [];
  }
}
