/** The chains of one inbound port: what takes TLS off, who judges, and what goes on to the application. */
import { formatRef } from "../../api/resource.ts";
import type { PortProtocol } from "../../api/service.ts";
import type {
  EffectiveMutualTls,
  NetworkAdmission,
  WorkloadView,
} from "../../policy/workload-view.ts";
import { rbacFilter } from "../authorization/rbac-filter.ts";
import {
  duration,
  type ExtensionConfig,
  type FilterChain,
  type NetworkFilter,
  type RouteConfiguration,
} from "../envoy-json.ts";
import { trustFingerprint } from "../fingerprint.ts";
import { BLACK_HOLE, OWN_METADATA } from "../istio-names.ts";
import { connectionManager, tcpProxy } from "../network-filters.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { type ChainKind, chainKinds } from "./chain-kinds.ts";
import { downstreamTls, HANDSHAKE_TIMEOUT } from "./downstream-tls.ts";
import type { AuthorizeChain, JudgedChain } from "./judged-chain.ts";
import { judgedHttp, judgedTcp } from "./judged-traffic.ts";
import { networkAdmissionFilters } from "./network-admission-filters.ts";
import { spanName } from "./tracing.ts";

/** One port, or all others. */
export interface InboundWay {
  readonly protocol: PortProtocol;
  readonly mutualTls: EffectiveMutualTls;
  /** Where the application is. */
  readonly cluster: string;
  /** Tells it from other ways; absent: the cluster does. */
  readonly name?: string;
  readonly containerPort?: number;
  readonly admission?: NetworkAdmission | undefined;
  /** By which connections are told apart that arrive on one listener; absent: they are all of this way. */
  readonly destinationPort?: number;
}

export interface InboundContext {
  readonly view: WorkloadView;
  readonly settings: ProxySettings;
  readonly authorize: AuthorizeChain;
}

export interface BuiltChains {
  readonly chains: readonly FilterChain[];
  readonly extensionConfigs: readonly ExtensionConfig[];
}

export function filterChains(way: InboundWay, context: InboundContext): BuiltChains {
  const built = chainKinds(way.mutualTls.mode, way.protocol).map((kind) =>
    filterChain(kind, way, context),
  );
  return {
    chains: built.map(({ chain }) => chain),
    extensionConfigs: built.flatMap(({ extensionConfigs }) => extensionConfigs),
  };
}

interface Built {
  readonly chain: FilterChain;
  readonly extensionConfigs: readonly ExtensionConfig[];
}

function filterChain(kind: ChainKind, way: InboundWay, context: InboundContext): Built {
  const { mutualTls, containerPort, destinationPort, cluster } = way;
  const judged: JudgedChain = {
    name: `${way.name ?? cluster} ${kind.name}`,
    level: kind.carries === "http" ? "http" : "tcp",
    transport: kind.transport,
    ...(containerPort !== undefined && { port: containerPort }),
  };
  const { filters, extensionConfigs, fingerprint } = carriedBy(kind, { way, judged, ...context });
  const { trust } = context.view;
  const isMesh = kind.transport === "mesh-tls";
  // Another one, and connections that stand are drained: what they carry was let in by terms of yesterday.
  const judgedBy = isMesh ? `${fingerprint}.${trustFingerprint(trust)}` : fingerprint;
  const chain = {
    name: judged.name,
    filterChainMatch: { ...(destinationPort !== undefined && { destinationPort }), ...kind.match },
    filters,
    ...(isMesh && {
      transportSocket: downstreamTls(trust, judged.level),
      transportSocketConnectTimeout: HANDSHAKE_TIMEOUT,
    }),
    metadata: {
      filterMetadata: { [OWN_METADATA]: { mutualTls: modeInWords(mutualTls), judgedBy } },
    },
  };
  return { chain, extensionConfigs };
}

interface Carrying extends InboundContext {
  readonly way: InboundWay;
  readonly judged: JudgedChain;
}

function carriedBy(
  { carries }: ChainKind,
  carrying: Carrying,
): Omit<Built, "chain"> & {
  readonly filters: readonly NetworkFilter[];
  readonly fingerprint: string;
} {
  if (carries === "refused") return { filters: REFUSED, extensionConfigs: [], fingerprint: "" };
  return carries === "http" ? carriedAsHttp(carrying) : carriedAsBytes(carrying);
}

const REFUSED: readonly NetworkFilter[] = [
  rbacFilter("tcp", { rules: { policies: {} } }),
  tcpProxy(BLACK_HOLE, { upstreamConnectMode: "ON_DOWNSTREAM_DATA", maxEarlyDataBytes: 0 }),
];

type Carried = ReturnType<typeof carriedBy>;

function carriedAsHttp({ view, settings, authorize, way, judged }: Carrying): Carried {
  const { connectionFilters, httpFilters, terms, extensionConfigs, fingerprint } = judgedHttp(
    view,
    settings,
    { chain: judged, authorize },
  );
  const manager = connectionManager({
    statPrefix: way.cluster,
    routes: routesToApplication(way, view),
    httpFilters,
    terms,
  });
  return {
    filters: [...networkAdmissionFilters(way.admission, judged), ...connectionFilters, manager],
    extensionConfigs,
    fingerprint,
  };
}

function carriedAsBytes({ view, settings, authorize, way, judged }: Carrying): Carried {
  const { filters, terms, extensionConfigs, fingerprint } = judgedTcp(view, settings, {
    chain: judged,
    authorize,
  });
  const judging = [...networkAdmissionFilters(way.admission, judged), ...filters];
  const proxy = tcpProxy(way.cluster, { ...terms, ...whenToDial(judged) });
  return { filters: [...judging, proxy], extensionConfigs, fingerprint };
}

/**
 * No caller is dialled for before its handshake proved who it is. Envoy's filters judge a connection by its first octet, and an
 * application may speak before (MySQL): whoever is refused then may have heard a greeting, as with Istio (AP-133).
 */
function whenToDial({ transport }: JudgedChain): object {
  return transport === "mesh-tls"
    ? { upstreamConnectMode: "ON_DOWNSTREAM_TLS_HANDSHAKE", maxEarlyDataBytes: 0 }
    : {};
}

/** All requests, however long they take; one that met a connection about to end is sent once more, as by Istio. */
function routesToApplication(
  { cluster, containerPort }: InboundWay,
  { telemetry }: WorkloadView,
): RouteConfiguration {
  const operation = spanName(telemetry?.tracing, containerPort);
  const never = duration(0);
  return {
    name: cluster,
    virtualHosts: [
      {
        name: `inbound|http|${containerPort ?? 0}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { prefix: "/" },
            ...(operation !== undefined && { decorator: { operation } }),
            route: {
              cluster,
              timeout: never,
              maxStreamDuration: { maxStreamDuration: never, grpcTimeoutHeaderMax: never },
              retryPolicy: {
                retryOn: "reset-before-request,connect-failure,refused-stream",
                numRetries: 2,
              },
            },
          },
        ],
      },
    ],
    validateClusters: false,
  };
}

/** `STRICT (PeerAuthentication istio-system/default)` */
function modeInWords({ mode, origin }: EffectiveMutualTls): string {
  return `${mode} (${origin === "default" ? origin : formatRef(origin.ref)})`;
}
