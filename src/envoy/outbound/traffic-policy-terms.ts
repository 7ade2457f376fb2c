/** How Envoy spreads calls to a cluster and where it stops, as istiod writes it (`cluster_traffic_policy.go`). */
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveConnectionPool,
  type EffectiveOutlierDetection,
  type EffectiveTrafficPolicy,
  type LoadBalancing,
} from "../../policy/effective-traffic-policy.ts";
import type { Destination } from "../../policy/workload-view.ts";
import { duration } from "../envoy-json.ts";

/** Fields of a cluster. */
export type ClusterTerms = Readonly<Record<string, unknown>>;

const ALWAYS = 100;

export function policyOf({ trafficPolicy }: Destination): EffectiveTrafficPolicy {
  return trafficPolicy ?? DEFAULT_TRAFFIC_POLICY;
}

/** Of any cluster that is called by a traffic policy. */
export function trafficPolicyTerms({
  loadBalancing,
  connectionPool,
  outlierDetection,
}: EffectiveTrafficPolicy): ClusterTerms {
  return {
    connectTimeout: duration(connectionPool.connectTimeoutMs),
    ...loadBalancingTerms(loadBalancing),
    ...limits(connectionPool),
    ...keepalive(connectionPool),
    ...outlierTerms(outlierDetection),
  };
}

function loadBalancingTerms(loadBalancing: LoadBalancing): ClusterTerms {
  switch (loadBalancing.algorithm) {
    case "PASSTHROUGH":
      return { lbPolicy: "CLUSTER_PROVIDED" };
    case "ROUND_ROBIN":
      return {};
    case "RING_HASH": {
      const { minimumRingSize } = loadBalancing;
      return { lbPolicy: "RING_HASH", ringHashLbConfig: { minimumRingSize } };
    }
    default:
      return { lbPolicy: loadBalancing.algorithm };
  }
}

/** Envoy's own defaults are far below what nobody limits. */
function limits({
  maxConnections,
  maxPendingRequests,
  maxRequests,
  maxRetries,
}: EffectiveConnectionPool): ClusterTerms {
  const threshold = { maxConnections, maxPendingRequests, maxRequests, maxRetries };
  return { circuitBreakers: { thresholds: [{ ...threshold, trackRemaining: true }] } };
}

function keepalive({ tcpKeepalive }: EffectiveConnectionPool): ClusterTerms {
  if (tcpKeepalive === undefined) return {};
  const { idleSeconds } = tcpKeepalive;
  const settings = idleSeconds === undefined ? {} : { keepaliveTime: idleSeconds };
  return { upstreamConnectionOptions: { tcpKeepalive: settings } };
}

/**
 * What is not counted is not enforced: Envoy would count it by itself. Endpoints that are left out never serve unless the
 * rule says from which share on.
 */
function outlierTerms(detection: EffectiveOutlierDetection | undefined): ClusterTerms {
  if (detection === undefined) return {};
  const { consecutive5xxErrors, consecutiveGatewayErrors, consecutiveLocalOriginFailures } =
    detection;
  const isSplit = detection.localOriginFailures === "counted apart";
  return {
    outlierDetection: {
      ...counted("consecutive5xx", "enforcingConsecutive5xx", consecutive5xxErrors),
      ...counted(
        "consecutiveGatewayFailure",
        "enforcingConsecutiveGatewayFailure",
        consecutiveGatewayErrors,
      ),
      ...(isSplit && {
        splitExternalLocalOriginErrors: true,
        ...counted(
          "consecutiveLocalOriginFailure",
          "enforcingConsecutiveLocalOriginFailure",
          consecutiveLocalOriginFailures,
        ),
        enforcingLocalOriginSuccessRate: 0,
      }),
      enforcingSuccessRate: 0,
      interval: duration(detection.intervalMs),
      baseEjectionTime: duration(detection.baseEjectionTimeMs),
      maxEjectionTime: duration(detection.maxEjectionTimeMs),
      maxEjectionPercent: detection.maxEjectionPercent,
    },
    commonLbConfig: { healthyPanicThreshold: { value: detection.minHealthPercent } },
  };
}

function counted(limit: string, enforced: string, times: number | undefined): ClusterTerms {
  return times === undefined ? { [enforced]: 0 } : { [limit]: times, [enforced]: ALWAYS };
}
