/**
 * How a client's sidecar spreads its calls to one port of a service, and where it stops: what a DestinationRule says of
 * the host, the port and the subset, put together, with the defaults of istiod and Envoy. Plain data, fit for a view.
 */
import type {
  ConnectionPoolSettings,
  HttpPoolSettings,
  TcpKeepalive,
} from "../api/connection-pool-settings.ts";
import type {
  HashKey,
  LoadBalancerSettings,
  SimpleLoadBalancer,
} from "../api/load-balancer-settings.ts";
import type { OutlierDetectionSettings } from "../api/outlier-detection-settings.ts";
import type { TrafficPolicy, TrafficPolicyComponents } from "../api/traffic-policy.ts";

export interface EffectiveTrafficPolicy {
  readonly loadBalancing: LoadBalancing;
  readonly connectionPool: EffectiveConnectionPool;
  /** Absent: no endpoint is ever left out. */
  readonly outlierDetection?: EffectiveOutlierDetection;
}

export type LoadBalancing =
  /** PASSTHROUGH: the address that the application called, whatever the endpoints are. */
  | { readonly algorithm: SimpleLoadBalancer }
  | { readonly algorithm: "RING_HASH"; readonly key: HashKey; readonly minimumRingSize: number };

export interface EffectiveConnectionPool {
  /** Of all endpoints together, as the limits that follow; `UNLIMITED` unless given. */
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** Absent: as many as come. */
  readonly maxRequestsPerConnection?: number;
  readonly connectTimeoutMs: number;
  /** A connection kept for requests is closed after so long without one; absent: never. */
  readonly httpIdleTimeoutMs?: number;
  /** From its beginning, and only between requests; absent: without end. */
  readonly httpMaxConnectionDurationMs?: number;
  /** A connection that carries TCP is closed after so long without a byte; absent: never. */
  readonly tcpIdleTimeoutMs?: number;
  readonly tcpMaxConnectionDurationMs?: number;
  /** Absent: no probes. */
  readonly tcpKeepalive?: TcpKeepalive;
  /**
   * What the callee's application is spoken to in: as its port says, HTTP/2 whatever the port says, or as the client
   * speaks.
   */
  readonly httpVersion: "declared" | "HTTP/2" | "client's";
}

/** How many in a row lead to ejection; absent: they never do. */
export interface EffectiveOutlierDetection {
  readonly consecutive5xxErrors?: number;
  /** 502, 503 and 504, which are 5xx errors too. */
  readonly consecutiveGatewayErrors?: number;
  /** Only where failures to connect are counted apart; otherwise they are gateway errors. */
  readonly consecutiveLocalOriginFailures?: number;
  readonly localOriginFailures: "counted apart" | "gateway errors";
  /** Between two looks at whose ejection is over. */
  readonly intervalMs: number;
  /** Times the number of ejections, which grows less by one in each interval without. */
  readonly baseEjectionTimeMs: number;
  readonly maxEjectionTimeMs: number;
  /** Of all endpoints: an ejection that would lead beyond is left undone. */
  readonly maxEjectionPercent: number;
  /** With fewer endpoints in service, the ejected ones serve too; 0: never. */
  readonly minHealthPercent: number;
}

/** Envoy's largest number: what istiod writes for limits that nobody set (`getDefaultCircuitBreakerThresholds`). */
export const UNLIMITED = 4_294_967_295;

/** `connectTimeout` of the mesh configuration, unless given there (`pkg/config/mesh/mesh.go`). */
const CONNECT_TIMEOUT_MS = 10_000;
/** Envoy's, for HTTP (`common_http_protocol_options.idle_timeout`) and for TCP (`tcp_proxy.idle_timeout`). */
const IDLE_TIMEOUT_MS = 3_600_000;
/** Envoy's `minimum_ring_size`; istiod writes the same (`ApplyRingHashLoadBalancer`). */
const MINIMUM_RING_SIZE = 1_024;
/** An Envoy refuses a cluster that asks for more. Source: envoy.config.cluster.v3.Cluster.RingHashLbConfig */
const LARGEST_RING_SIZE = 8_388_608;
/** Envoy's (`config.cluster.v3.OutlierDetection`). */
const OUTLIER_DEFAULTS = {
  consecutiveErrors: 5,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 10,
} as const;

export interface TrafficPolicyQuestion {
  readonly servicePort: number;
  /** `trafficPolicy` of the subset that is called, if it has one. */
  readonly subset?: TrafficPolicy;
  /** Of the mesh configuration. */
  readonly connectTimeoutMs?: number;
}

/** Where no DestinationRule says anything. */
export const DEFAULT_TRAFFIC_POLICY: EffectiveTrafficPolicy = effectiveTrafficPolicy(undefined, {
  servicePort: 0,
});

/** @param rule `trafficPolicy` of the DestinationRule that counts for the client (TLS-41), if any does */
export function effectiveTrafficPolicy(
  rule: TrafficPolicy | undefined,
  question: TrafficPolicyQuestion,
): EffectiveTrafficPolicy {
  const { loadBalancer, connectionPool, outlierDetection } = composeTrafficPolicy(rule, question);
  return {
    loadBalancing: loadBalancing(loadBalancer),
    connectionPool: {
      ...effectiveConnectionPool(connectionPool, question.connectTimeoutMs),
      ...streamLifetimes(rule?.connectionPool),
    },
    ...(outlierDetection && { outlierDetection: effectiveOutlierDetection(outlierDetection) }),
  };
}

/**
 * An entry for the port counts instead of all components beside it, also of those it does not have; a subset's component
 * counts instead of the rule's, and a subset's entry for the port instead of all (TLS-42; `MergeSubsetTrafficPolicy` in
 * `pilot/pkg/networking/util/util.go`).
 */
export function composeTrafficPolicy(
  rule: TrafficPolicy | undefined,
  { servicePort, subset }: TrafficPolicyQuestion,
): TrafficPolicyComponents {
  const ofSubset = subset?.ports.get(servicePort);
  if (ofSubset !== undefined) return ofSubset;
  return { ...componentsOf(rule?.ports.get(servicePort) ?? rule), ...componentsOf(subset) };
}

function componentsOf(policy: TrafficPolicyComponents = {}): TrafficPolicyComponents {
  const { tls, loadBalancer, connectionPool, outlierDetection } = policy;
  return {
    ...(tls && { tls }),
    ...(loadBalancer && { loadBalancer }),
    ...(connectionPool && { connectionPool }),
    ...(outlierDetection && { outlierDetection }),
  };
}

/** Least request unless something else is asked for (`defaultLBAlgorithm`); a hash counts before it. */
function loadBalancing(settings: LoadBalancerSettings = {}): LoadBalancing {
  const { simple = "LEAST_REQUEST", consistentHash } = settings;
  if (consistentHash === undefined) return { algorithm: simple };
  const { key, minimumRingSize = MINIMUM_RING_SIZE } = consistentHash;
  return {
    algorithm: "RING_HASH",
    key,
    minimumRingSize: Math.min(minimumRingSize, LARGEST_RING_SIZE),
  };
}

/** As `applyConnectionPool` in `pilot/pkg/networking/core/cluster_traffic_policy.go`. */
function effectiveConnectionPool(
  { tcp, http }: Partial<ConnectionPoolSettings> = {},
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
): EffectiveConnectionPool {
  const idleTimeoutMs = http?.idleTimeoutMs ?? tcp?.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  const maxRequestsPerConnection = http?.maxRequestsPerConnection;
  return {
    maxConnections: tcp?.maxConnections ?? UNLIMITED,
    maxPendingRequests: http?.maxPendingRequests ?? UNLIMITED,
    maxRequests: http?.maxRequests ?? UNLIMITED,
    maxRetries: http?.maxRetries ?? UNLIMITED,
    ...(maxRequestsPerConnection && { maxRequestsPerConnection }),
    connectTimeoutMs: tcp?.connectTimeoutMs ?? connectTimeoutMs,
    ...(idleTimeoutMs > 0 && { httpIdleTimeoutMs: idleTimeoutMs }),
    ...(tcp?.maxConnectionDurationMs && {
      httpMaxConnectionDurationMs: tcp.maxConnectionDurationMs,
    }),
    ...(tcp?.keepalive && { tcpKeepalive: tcp.keepalive }),
    httpVersion: httpVersion(http),
  };
}

/**
 * Of a connection that carries TCP, the rule's own `connectionPool` says how long it may live, never a port's or a
 * subset's: in Istio it is a property of the listener
 * (`buildOutboundNetworkFiltersWithSingleDestination` in `pilot/pkg/networking/core/networkfilter.go`).
 */
function streamLifetimes({
  tcp,
}: Partial<ConnectionPoolSettings> = {}): Partial<EffectiveConnectionPool> {
  const idleTimeoutMs = tcp?.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  return {
    ...(idleTimeoutMs > 0 && { tcpIdleTimeoutMs: idleTimeoutMs }),
    ...(tcp?.maxConnectionDurationMs && {
      tcpMaxConnectionDurationMs: tcp.maxConnectionDurationMs,
    }),
  };
}

/** As `shouldH2Upgrade`, where the mesh configuration upgrades nothing. */
function httpVersion(http: HttpPoolSettings | undefined): EffectiveConnectionPool["httpVersion"] {
  if (http?.useClientProtocol) return "client's";
  return http?.h2Upgrade === "UPGRADE" ? "HTTP/2" : "declared";
}

/**
 * As `applyOutlierDetection`: 5xx errors count unless they are set to 0, gateway errors only when they are set, and of
 * failures counted apart 0 is as good as absent.
 */
function effectiveOutlierDetection(settings: OutlierDetectionSettings): EffectiveOutlierDetection {
  const { consecutiveErrors } = OUTLIER_DEFAULTS;
  const { consecutive5xxErrors = consecutiveErrors, consecutiveGatewayErrors } = settings;
  const isSplit = settings.splitExternalLocalOriginErrors;
  const baseEjectionTimeMs = settings.baseEjectionTimeMs ?? OUTLIER_DEFAULTS.baseEjectionTimeMs;
  return {
    ...(consecutive5xxErrors > 0 && { consecutive5xxErrors }),
    ...(consecutiveGatewayErrors && { consecutiveGatewayErrors }),
    ...(isSplit && {
      consecutiveLocalOriginFailures: settings.consecutiveLocalOriginFailures || consecutiveErrors,
    }),
    localOriginFailures: isSplit ? "counted apart" : "gateway errors",
    intervalMs: settings.intervalMs ?? OUTLIER_DEFAULTS.intervalMs,
    baseEjectionTimeMs,
    maxEjectionTimeMs: Math.max(OUTLIER_DEFAULTS.maxEjectionTimeMs, baseEjectionTimeMs),
    maxEjectionPercent: settings.maxEjectionPercent || OUTLIER_DEFAULTS.maxEjectionPercent,
    minHealthPercent: settings.minHealthPercent,
  };
}
