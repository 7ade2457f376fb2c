/** What a traffic policy says beyond the defaults, in words: for whoever asks what is in force. */
import type { HashKey } from "../api/load-balancer-settings.ts";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveConnectionPool,
  type EffectiveOutlierDetection,
  type EffectiveTrafficPolicy,
  type LoadBalancing,
} from "./effective-traffic-policy.ts";

/** @returns none where everything is as it is without a rule */
export function trafficPolicySentences(policy: EffectiveTrafficPolicy): readonly string[] {
  const { loadBalancing, connectionPool, outlierDetection } = policy;
  return [
    ...algorithmInWords(loadBalancing),
    ...poolInWords(connectionPool),
    ...(outlierDetection === undefined ? [] : outliersInWords(outlierDetection)),
  ];
}

function algorithmInWords(loadBalancing: LoadBalancing): readonly string[] {
  switch (loadBalancing.algorithm) {
    case "LEAST_REQUEST":
      return [];
    case "ROUND_ROBIN":
      return ["each endpoint in turn"];
    case "RANDOM":
      return ["any endpoint, by chance"];
    case "PASSTHROUGH":
      return ["the pod whose address is called; for other calls the less busy of two endpoints"];
    case "RING_HASH":
      return [stickinessInWords(loadBalancing.key)];
  }
}

function stickinessInWords(key: HashKey): string {
  switch (key.from) {
    case "header":
      return `the same endpoint for requests with the same header ${key.name}`;
    case "query-parameter":
      return `the same endpoint for requests with the same query parameter ${key.name}`;
    case "source-ip":
      return "the same endpoint for calls from the same address";
    case "cookie": {
      const given = key.ttlSeconds === undefined ? "" : ", which is given to whoever has none";
      return `the same endpoint for requests with the same cookie ${key.name}${given}`;
    }
    case "nothing":
      return "any endpoint, by chance: nothing is said that calls could be told by";
  }
}

/** In the order of the words. */
const LIMITS: readonly [field: keyof EffectiveConnectionPool, words: (amount: number) => string][] =
  [
    ["maxConnections", (most) => `at most ${counted(most, "connection")}`],
    ["maxRequests", (most) => `at most ${counted(most, "request")} at once`],
    [
      "maxPendingRequests",
      (most) => `at most ${counted(most, "request")} that wait for a connection`,
    ],
    ["maxRetries", (most) => `at most ${counted(most, "retry", "retries")} at once`],
    ["maxRequestsPerConnection", (most) => `${counted(most, "request")} a connection`],
    ["connectTimeoutMs", (ms) => `connections are made within ${inWords(ms)}, or fail`],
    ["httpIdleTimeoutMs", (ms) => `connections for HTTP end when idle for ${inWords(ms)}`],
    ["httpMaxConnectionDurationMs", (ms) => `connections for HTTP end after ${inWords(ms)}`],
    ["tcpIdleTimeoutMs", (ms) => `TCP connections end when silent for ${inWords(ms)}`],
    ["tcpMaxConnectionDurationMs", (ms) => `TCP connections end after ${inWords(ms)}`],
  ];
const UNENDING: readonly [field: keyof EffectiveConnectionPool, words: string][] = [
  ["httpIdleTimeoutMs", "connections for HTTP stay, however long they are idle"],
  ["tcpIdleTimeoutMs", "TCP connections stay, however long they are silent"],
];
const VERSIONS: Readonly<Record<EffectiveConnectionPool["httpVersion"], readonly string[]>> = {
  declared: [],
  "HTTP/2": ["requests go on as HTTP/2"],
  "client's": ["requests go on in the version that the caller speaks"],
};

function poolInWords(pool: EffectiveConnectionPool): readonly string[] {
  const usual = DEFAULT_TRAFFIC_POLICY.connectionPool;
  return [
    ...LIMITS.flatMap(([field, words]) => {
      const amount = pool[field];
      return typeof amount === "number" && amount !== usual[field] ? [words(amount)] : [];
    }),
    ...UNENDING.flatMap(([field, words]) => (pool[field] === undefined ? [words] : [])),
    ...(pool.tcpKeepalive === undefined ? [] : ["connections are kept alive by probes"]),
    ...VERSIONS[pool.httpVersion],
  ];
}

function outliersInWords(detection: EffectiveOutlierDetection): readonly string[] {
  const {
    consecutive5xxErrors: errors,
    consecutiveGatewayErrors: gatewayErrors,
    consecutiveLocalOriginFailures: failures,
  } = detection;
  const causes = [
    ...(errors === undefined ? [] : [`${counted(errors, "answer")} of 5xx in a row`]),
    ...(gatewayErrors === undefined ? [] : [`${gatewayErrors} of 502, 503 or 504`]),
    ...(failures === undefined ? [] : [`${counted(failures, "connection")} in a row that failed`]),
  ];
  if (causes.length === 0) return ["no endpoint is left out: nothing is counted"];
  const { baseEjectionTimeMs, maxEjectionPercent, minHealthPercent } = detection;
  return [
    `an endpoint is left out for ${inWords(baseEjectionTimeMs)} or more after ${causes.join(", or ")}; at most ${maxEjectionPercent} % of them at once`,
    ...(minHealthPercent === 0
      ? []
      : [`those left out serve, too, while fewer than ${minHealthPercent} % are in service`]),
  ];
}

function counted(amount: number, one: string, several = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : several}`;
}

function inWords(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}
