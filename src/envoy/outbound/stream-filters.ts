/** What passes bytes on to one destination, or to several by their weights. */
import type { StreamRoute } from "../../policy/routes/stream-route.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { AccessLog } from "../../policy/workload-view.ts";
import { duration, type NetworkFilter, typeUrl } from "../envoy-json.ts";
import { accessLogs } from "../inbound/access-logs.ts";
import { BLACK_HOLE, outboundClusterName, TCP_PROXY } from "../istio-names.ts";
import { hashKeys } from "../routes/called-clusters.ts";
import { ENDPOINT_KEY, endpointKey, LOAD_BALANCER } from "./destination-endpoints.ts";
import type { AnyDestination } from "./destination-reach.ts";
import { policyOf } from "./traffic-policy-terms.ts";

/** Endpoints that are tried one after the other before a connection is given up. */
const ATTEMPTS = 3;

/** @param only the one endpoint that is meant, of a headless service */
export function streamTo(
  destination: AnyDestination,
  logs: readonly AccessLog[],
  only?: SocketAddress,
): NetworkFilter {
  const cluster = outboundClusterName(destination);
  return tcpProxy({
    statPrefix: cluster,
    cluster,
    ...lifetimes(destination),
    ...(hashKeys(destination).some(({ from }) => from === "source-ip") && {
      hashPolicy: [{ sourceIp: {} }],
    }),
    ...(only && {
      metadataMatch: {
        filterMetadata: { [LOAD_BALANCER]: { [ENDPOINT_KEY]: endpointKey(only) } },
      },
    }),
    ...accessLogs(logs),
  });
}

/** @param destination that was called: how long its connections live is its own matter, wherever they lead */
export function streamByRoute(
  route: StreamRoute,
  destination: AnyDestination,
  logs: readonly AccessLog[],
): NetworkFilter {
  const clusters = clustersOfRoute(route, destination.servicePort);
  return streamToClusters(clusters, { ...lifetimes(destination), ...accessLogs(logs) });
}

/** @param calledPort for destinations that name none */
export function clustersOfRoute(
  { destinations }: StreamRoute,
  calledPort: number,
): readonly WeightedCluster[] {
  return destinations.map(({ host, port, subset = "", weight, problem }) => ({
    name:
      problem === undefined
        ? outboundClusterName({ host, subset, servicePort: port === 0 ? calledPort : port })
        : BLACK_HOLE,
    weight,
  }));
}

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
}

/** @param terms whatever else the filter is told */
export function streamToClusters(
  clusters: readonly WeightedCluster[],
  terms: Readonly<Record<string, unknown>>,
): NetworkFilter {
  const [first, ...others] = clusters;
  const { name: cluster } = first ?? { name: BLACK_HOLE };
  return tcpProxy({
    statPrefix: cluster,
    ...(others.length === 0 ? { cluster } : { weightedClusters: { clusters } }),
    ...terms,
  });
}

/** To whoever was called, or to nobody. */
export function streamToCluster(cluster: string, logs: readonly AccessLog[] = []): NetworkFilter {
  return tcpProxy({ statPrefix: cluster, cluster, ...accessLogs(logs) });
}

function lifetimes(destination: AnyDestination): Readonly<Record<string, unknown>> {
  const { tcpIdleTimeoutMs = 0, tcpMaxConnectionDurationMs } = policyOf(destination).connectionPool;
  return {
    idleTimeout: duration(tcpIdleTimeoutMs),
    ...(tcpMaxConnectionDurationMs !== undefined && {
      maxDownstreamConnectionDuration: duration(tcpMaxConnectionDurationMs),
    }),
  };
}

function tcpProxy(fields: Readonly<Record<string, unknown>>): NetworkFilter {
  return {
    name: TCP_PROXY,
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"),
      maxConnectAttempts: ATTEMPTS,
      ...fields,
    },
  };
}
