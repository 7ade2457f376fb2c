import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { effectiveTrafficPolicy } from "./effective-traffic-policy.ts";
import { trafficPolicySentences } from "./traffic-policy-sentences.ts";

function sentences(policy: string): readonly string[] {
  const [rule] = resourcesOf(`
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule, namespace: shop}
spec: {host: api, trafficPolicy: {${policy}}}`);
  assert.ok(rule?.kind === "DestinationRule");
  return trafficPolicySentences(effectiveTrafficPolicy(rule.trafficPolicy, { servicePort: 80 }));
}

const hash = (key: string): string => `loadBalancer: {consistentHash: {${key}}}`;
const pool = (fields: string): string => `connectionPool: {${fields}}`;
const outlier = (fields: string): string => `outlierDetection: {${fields}}`;
const cases: [policy: string, words: string[]][] = [
  ["tls: {mode: ISTIO_MUTUAL}", []],
  ["loadBalancer: {simple: LEAST_REQUEST}", []],
  ["loadBalancer: {simple: ROUND_ROBIN}", ["each endpoint in turn"]],
  ["loadBalancer: {simple: RANDOM}", ["any endpoint, by chance"]],
  [
    "loadBalancer: {simple: PASSTHROUGH}",
    ["the pod whose address is called; for other calls the less busy of two endpoints"],
  ],
  [hash("httpHeaderName: X-User"), ["the same endpoint for requests with the same header x-user"]],
  [
    hash("httpQueryParameterName: id"),
    ["the same endpoint for requests with the same query parameter id"],
  ],
  [hash("useSourceIp: true"), ["the same endpoint for calls from the same address"]],
  [hash("httpCookie: {name: user}"), ["the same endpoint for requests with the same cookie user"]],
  [
    hash("httpCookie: {name: user, ttl: 0s}"),
    [
      "the same endpoint for requests with the same cookie user, which is given to whoever has none",
    ],
  ],
  [
    pool("tcp: {maxConnections: 1, connectTimeout: 30ms}, http: {maxRetries: 1}"),
    [
      "at most 1 connection",
      "at most 1 retry at once",
      "connections are made within 30 ms, or fail",
    ],
  ],
  [
    pool("http: {http2MaxRequests: 2, http1MaxPendingRequests: 3, maxRequestsPerConnection: 1}"),
    [
      "at most 2 requests at once",
      "at most 3 requests that wait for a connection",
      "1 request a connection",
    ],
  ],
  [
    pool("tcp: {idleTimeout: 0s, maxConnectionDuration: 2m, tcpKeepalive: {}}"),
    [
      "connections for HTTP end after 2 min",
      "TCP connections end after 2 min",
      "connections for HTTP stay, however long they are idle",
      "TCP connections stay, however long they are silent",
      "connections are kept alive by probes",
    ],
  ],
  [
    pool("tcp: {idleTimeout: 9s}, http: {h2UpgradePolicy: UPGRADE}"),
    [
      "connections for HTTP end when idle for 9 s",
      "TCP connections end when silent for 9 s",
      "requests go on as HTTP/2",
    ],
  ],
  [
    pool("http: {useClientProtocol: true}"),
    ["requests go on in the version that the caller speaks"],
  ],
  [
    outlier(""),
    [
      "an endpoint is left out for 30 s or more after 5 answers of 5xx in a row; at most 10 % of them at once",
    ],
  ],
  [
    outlier(
      "consecutiveGatewayErrors: 2, splitExternalLocalOriginErrors: true, minHealthPercent: 50",
    ),
    [
      "an endpoint is left out for 30 s or more after 5 answers of 5xx in a row, or 2 of 502, 503 or 504, or 5 connections in a row that failed; at most 10 % of them at once",
      "those left out serve, too, while fewer than 50 % are in service",
    ],
  ],
  [outlier("consecutive5xxErrors: 0"), ["no endpoint is left out: nothing is counted"]],
];
for (const [policy, words] of cases) {
  test(policy, () => assert.deepEqual(sentences(policy), words));
}
