/**
 * Which connections a port takes, as Istio divides them by mode and protocol (PA-1, TLS-2): a chain for each way in, with
 * TLS of the mesh exactly where it is taken off.
 */
import { formatRef } from "../api/resource.ts";
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import type { EffectiveMutualTls, Inbound, Trust } from "../policy/workload-view.ts";
import { httpAuthorizationFilters, tcpAuthorizationFilters } from "./authorization-filters.ts";
import type { FilterChain, FilterChainMatch, NetworkFilter } from "./envoy-json.ts";
import { OWN_METADATA } from "./istio-names.ts";
import { connectionManager, routesTo, tcpProxy } from "./network-filters.ts";
import { downstreamTls } from "./transport-sockets.ts";

export interface InboundWay {
  readonly protocol: PortProtocol;
  readonly mutualTls: EffectiveMutualTls;
  readonly cluster: string;
  /** Absent: of any port. */
  readonly destinationPort?: number;
}

interface Kind {
  readonly match: Pick<FilterChainMatch, "transportProtocol" | "applicationProtocols">;
  readonly spoken: "http" | "tcp";
  /** Whether TLS of the mesh is taken off. */
  readonly mesh: boolean;
}

const PLAIN_HTTP = ["http/1.0", "http/1.1", "h2c"];
const MESH_HTTP = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const MESH_TCP = ["istio-peer-exchange", "istio"];
const OF_THE_MESH = ["istio", "istio-peer-exchange", ...MESH_HTTP];

const plain = (spoken: Kind["spoken"], applicationProtocols?: readonly string[]): Kind => ({
  match: { transportProtocol: "raw_buffer", ...(applicationProtocols && { applicationProtocols }) },
  spoken,
  mesh: false,
});
const meshTls = (spoken: Kind["spoken"], applicationProtocols?: readonly string[]): Kind => ({
  match: { transportProtocol: "tls", ...(applicationProtocols && { applicationProtocols }) },
  spoken,
  mesh: true,
});
/** TLS of the application's own. */
const PASSED_ON: Kind = { match: { transportProtocol: "tls" }, spoken: "tcp", mesh: false };

type Spoken = "http" | "tcp" | "auto";

const KINDS: Readonly<Record<MutualTlsMode, Readonly<Record<Spoken, readonly Kind[]>>>> = {
  STRICT: {
    http: [meshTls("http")],
    tcp: [meshTls("tcp")],
    auto: [meshTls("http", MESH_HTTP), meshTls("tcp")],
  },
  PERMISSIVE: {
    http: [meshTls("http", OF_THE_MESH), plain("http")],
    tcp: [meshTls("tcp", OF_THE_MESH), PASSED_ON, plain("tcp")],
    auto: [
      meshTls("http", MESH_HTTP),
      plain("http", PLAIN_HTTP),
      meshTls("tcp", MESH_TCP),
      plain("tcp"),
      PASSED_ON,
    ],
  },
  DISABLE: {
    http: [plain("http")],
    tcp: [plain("tcp")],
    auto: [plain("http", PLAIN_HTTP), plain("tcp")],
  },
};

export function inboundChains(
  way: InboundWay,
  { inbound, trust }: { readonly inbound: Inbound; readonly trust: Trust },
): readonly FilterChain[] {
  const { protocol, mutualTls, destinationPort } = way;
  const kinds = KINDS[mutualTls.mode][protocol === "http2" ? "http" : protocol];
  return kinds.map(({ match, spoken, mesh }) => ({
    name: way.cluster,
    filterChainMatch: { ...(destinationPort !== undefined && { destinationPort }), ...match },
    filters: spoken === "http" ? httpFilters(way, inbound) : tcpFilters(way, inbound),
    ...(mesh && { transportSocket: downstreamTls(trust, spoken) }),
    metadata: { filterMetadata: { [OWN_METADATA]: { mutualTls: modeInWords(mutualTls) } } },
  }));
}

function httpFilters({ cluster }: InboundWay, inbound: Inbound): readonly NetworkFilter[] {
  const httpFilters = httpAuthorizationFilters(inbound);
  return [connectionManager({ statPrefix: cluster, routes: routesTo(cluster), httpFilters })];
}

function tcpFilters({ cluster }: InboundWay, inbound: Inbound): readonly NetworkFilter[] {
  return [...tcpAuthorizationFilters(inbound), tcpProxy(cluster)];
}

/** `STRICT (PeerAuthentication istio-system/default)` */
function modeInWords({ mode, origin }: EffectiveMutualTls): string {
  return `${mode} (${origin === "default" ? origin : formatRef(origin.ref)})`;
}
