/**
 * Which servers a gateway workload has, out of all Gateways that are for it: merged by port, as istiod merges them.
 * Source: `mergeGateways` in `pilot/pkg/model/gateway.go`
 */
import type { GatewayServerSettings } from "../api/gateway.ts";
import type { ResourceOrigin } from "./decision.ts";
import type { SecretLookup } from "./gateway-tls.ts";
import type { RouteSource } from "./routes/route-source.ts";

/** One server of one Gateway, or one listener of one of the Gateway API. */
export interface OfferedServer {
  readonly origin: ResourceOrigin;
  /** By which routes are bound to it: `NAMESPACE/NAME`. */
  readonly gateway: string;
  readonly settings: GatewayServerSettings;
  /** What clients call. */
  readonly port: number;
  /** Of the pod. */
  readonly containerPort: number;
  readonly hosts: readonly ServerHost[];
  readonly secretNamed: SecretLookup;
  /** Of a listener of the Gateway API: whose it is, `NAMESPACE/NAME`. Routes of one listener are not those of another. */
  readonly listenerOf?: string;
  /** Of the routes that are bound to it, in the order they count. */
  readonly sources: readonly RouteSource[];
}

/** In lower case. */
export interface ServerHost {
  /** Of the routes it is for; absent: any. */
  readonly namespace?: string;
  readonly host: string;
}

/** `HOST`, `NAMESPACE/HOST`, `./HOST` or `*` + `/HOST` of a Gateway in `namespace`. */
export function serverHost(written: string, namespace: string): ServerHost {
  const slash = written.indexOf("/");
  const host = written.slice(slash + 1).toLowerCase();
  const before = slash < 0 ? "*" : written.slice(0, slash);
  if (before === "*") return { host };
  return { host, namespace: before === "." ? namespace : before };
}

/** All servers of one port of the pod; either all are of TLS, or all are HTTP without, or it is one of TCP. */
export interface ServersOfPort {
  readonly containerPort: number;
  readonly servers: readonly OfferedServer[];
}

export interface LeftOutServer {
  readonly server: OfferedServer;
  readonly why: string;
}

export interface MergedServers {
  /** By port, ascending. */
  readonly ports: readonly ServersOfPort[];
  readonly leftOut: readonly LeftOutServer[];
}

/** @param offered in the order they count: the oldest Gateway first */
export function mergeServers(offered: readonly OfferedServer[]): MergedServers {
  const ports = new Map<number, PortBeingMerged>();
  const leftOut: LeftOutServer[] = [];
  for (const server of offered) {
    const port = ports.get(server.containerPort);
    const why = port && conflictOf(server, port);
    if (why !== undefined) leftOut.push({ server, why });
    else if (port !== undefined) take(server, port);
    else ports.set(server.containerPort, take(server, { servers: [], owners: new Map() }));
  }
  return {
    ports: [...ports]
      .map(([containerPort, { servers }]) => ({ containerPort, servers }))
      .sort((one, other) => one.containerPort - other.containerPort),
    leftOut,
  };
}

interface PortBeingMerged {
  readonly servers: OfferedServer[];
  /** Of hosts. */
  readonly owners: Map<string, OfferedServer>;
}

function take(server: OfferedServer, port: PortBeingMerged): PortBeingMerged {
  port.servers.push(server);
  for (const { host } of server.hosts) port.owners.set(host, server);
  return port;
}

function conflictOf(
  server: OfferedServer,
  { servers: [first], owners }: PortBeingMerged,
): string | undefined {
  if (first === undefined) return undefined;
  const owner = nameOf(first);
  if (isTls(server) !== isTls(first)) {
    return `its port ${server.port} has another protocol already, of ${owner}`;
  }
  if (!isTls(server)) {
    const mergeable = [server, first].every(({ settings }) => settings.port.protocol === "http");
    return mergeable ? undefined : `its port ${server.port} is taken already, by ${owner}`;
  }
  for (const { host } of server.hosts) {
    const other = owners.get(host);
    if (other !== undefined)
      return `its host ${host} on port ${server.port} is served already, by ${nameOf(other)}`;
  }
  return undefined;
}

/** A server that only says where TLS is to be had has none itself. */
export function isTls({ settings: { tls, port } }: OfferedServer): boolean {
  return tls !== undefined && port.protocol !== "http" && port.protocol !== "tcp";
}

function nameOf({ origin: { ref } }: OfferedServer): string {
  return `${ref.kind} ${ref.namespace}/${ref.name}`;
}
