import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "./decoder.ts";
import { ParseReport } from "./parse-report.ts";
import { trafficPolicy } from "./traffic-policy.ts";
import { yamlDocuments } from "./yaml-documents.ts";

/** The spec of a rule, read; what stays unread is an issue. */
function read(yaml: string) {
  const [document] = yamlDocuments(yaml);
  assert.ok(document?.root?.type === "map");
  const report = new ParseReport("mesh.yaml");
  const spec = new Fields(document.root, { line: 1, path: "", report });
  const policy = trafficPolicy(spec);
  spec.end();
  const issues = report.issues.map(({ path, problem }) => `${path}: ${problem}`);
  const notices = report.notices(1).map(({ message }) => message);
  return { policy, issues, notices };
}

function policyOf(fields: string) {
  const { policy, issues } = read(`trafficPolicy:${fields}`);
  assert.deepEqual(issues, []);
  return policy;
}
const balancer = (fields: string) => policyOf(` {loadBalancer: {${fields}}}`).loadBalancer;
const hash = (fields: string) => balancer(`consistentHash: {${fields}}`)?.consistentHash;
const tcp = (fields: string) => policyOf(` {connectionPool: {tcp: {${fields}}}}`).connectionPool;
const outlier = (fields: string) => policyOf(` {outlierDetection: {${fields}}}`).outlierDetection;

test("no policy, and one that says nothing", () => {
  assert.deepEqual(read("host: a").policy, { ports: new Map() });
  assert.deepEqual(policyOf(" {loadBalancer: null}"), { ports: new Map() });
});

test("all that is used", () => {
  const policy = policyOf(`
  loadBalancer: {simple: ROUND_ROBIN}
  connectionPool:
    tcp:
      maxConnections: 100
      connectTimeout: 30ms
      idleTimeout: 5m
      maxConnectionDuration: 1h
      tcpKeepalive: {probes: 3, time: 7200s, interval: 75s}
    http:
      http1MaxPendingRequests: 7
      http2MaxRequests: 1000
      maxRequestsPerConnection: 10
      maxRetries: 2
      idleTimeout: 90s
      h2UpgradePolicy: UPGRADE
  outlierDetection:
    consecutive5xxErrors: 7
    consecutiveGatewayErrors: 4
    splitExternalLocalOriginErrors: true
    consecutiveLocalOriginFailures: 3
    interval: 5m
    baseEjectionTime: 15m
    maxEjectionPercent: 100
    minHealthPercent: 50
  portLevelSettings:
  - {port: {number: 80}, loadBalancer: {simple: RANDOM}}
  - {port: {number: 81}}`);
  assert.deepEqual(policy, {
    loadBalancer: { simple: "ROUND_ROBIN" },
    connectionPool: {
      tcp: {
        maxConnections: 100,
        connectTimeoutMs: 30,
        idleTimeoutMs: 300_000,
        maxConnectionDurationMs: 3_600_000,
        keepalive: { idleSeconds: 7_200 },
      },
      http: {
        maxPendingRequests: 7,
        maxRequests: 1_000,
        maxRequestsPerConnection: 10,
        maxRetries: 2,
        idleTimeoutMs: 90_000,
        h2Upgrade: "UPGRADE",
        useClientProtocol: false,
      },
    },
    outlierDetection: {
      consecutive5xxErrors: 7,
      consecutiveGatewayErrors: 4,
      consecutiveLocalOriginFailures: 3,
      splitExternalLocalOriginErrors: true,
      intervalMs: 300_000,
      baseEjectionTimeMs: 900_000,
      maxEjectionPercent: 100,
      minHealthPercent: 50,
    },
    ports: new Map([
      [80, { loadBalancer: { simple: "RANDOM" } }],
      [81, {}],
    ]),
  });
});

const algorithms: [written: string, read: string | undefined][] = [
  ["LEAST_CONN", "LEAST_REQUEST"],
  ["LEAST_REQUEST", "LEAST_REQUEST"],
  ["RANDOM", "RANDOM"],
  ["PASSTHROUGH", "PASSTHROUGH"],
  ["ROUND_ROBIN", "ROUND_ROBIN"],
  ["UNSPECIFIED", undefined],
];
for (const [written, simple] of algorithms) {
  test(`simple: ${written}`, () => assert.equal(balancer(`simple: ${written}`)?.simple, simple));
}

const keys: [fields: string, key: unknown][] = [
  ["httpHeaderName: X-User", { from: "header", name: "x-user" }],
  ["useSourceIp: true", { from: "source-ip" }],
  ["useSourceIp: false", { from: "nothing" }],
  ["ringHash: {}", { from: "nothing" }],
  ["httpQueryParameterName: id", { from: "query-parameter", name: "id" }],
  ["httpCookie: {name: user}", { from: "cookie", name: "user", path: "", attributes: [] }],
  [
    "httpCookie: {name: user, path: /a, ttl: 0s, attributes: [{name: SameSite, value: Lax}, {name: Secure}]}",
    {
      from: "cookie",
      name: "user",
      path: "/a",
      ttlSeconds: 0,
      attributes: [
        { name: "SameSite", value: "Lax" },
        { name: "Secure", value: "" },
      ],
    },
  ],
];
for (const [fields, key] of keys) {
  test(`consistentHash: {${fields}}`, () => assert.deepEqual(hash(fields), { key }));
}

const rings: [fields: string, size: number | undefined][] = [
  ["useSourceIp: true, minimumRingSize: 2048", 2_048],
  ['useSourceIp: true, minimumRingSize: "2048"', 2_048],
  ["useSourceIp: true, ringHash: {minimumRingSize: 512}", 512],
  ["useSourceIp: true, ringHash: {minimumRingSize: 0}", undefined],
  ["useSourceIp: true", undefined],
];
for (const [fields, size] of rings) {
  test(`ring of {${fields}}`, () => assert.equal(hash(fields)?.minimumRingSize, size));
}

const warmups: [fields: string, warmup: unknown][] = [
  ["warmup: {duration: 10s}", { durationMs: 10_000, minimumPercent: 10, aggression: 1 }],
  [
    "warmup: {duration: 1m, minimumPercent: 0, aggression: 2.5}",
    { durationMs: 60_000, minimumPercent: 0, aggression: 2.5 },
  ],
  ["warmupDurationSecs: 5s", { durationMs: 5_000, minimumPercent: 10, aggression: 1 }],
];
for (const [fields, warmup] of warmups) {
  test(`${fields}`, () => assert.deepEqual(balancer(fields)?.warmup, warmup));
}

const lifetimes: [fields: string, pool: unknown][] = [
  ["idleTimeout: 0s", { idleTimeoutMs: 0 }],
  ["idleTimeout: 999us", { idleTimeoutMs: 0 }],
  ["connectTimeout: 1.5s", { connectTimeoutMs: 1_500 }],
  ["maxConnections: 0", {}],
  ["tcpKeepalive: {}", { keepalive: {} }],
  ["tcpKeepalive: {time: 900ms}", { keepalive: {} }],
  ["tcpKeepalive: {time: 1999ms}", { keepalive: { idleSeconds: 1 } }],
];
for (const [fields, pool] of lifetimes) {
  test(`tcp: {${fields}}`, () => assert.deepEqual(tcp(fields)?.tcp, pool));
}

const UNSAID = {
  splitExternalLocalOriginErrors: false,
  maxEjectionPercent: 0,
  minHealthPercent: 0,
};
const counts: [fields: string, outlier: unknown][] = [
  ["", UNSAID],
  ["consecutive5xxErrors: 0", { consecutive5xxErrors: 0, ...UNSAID }],
  ["consecutive5xxErrors: null", UNSAID],
  ["consecutiveGatewayErrors: 0", { consecutiveGatewayErrors: 0, ...UNSAID }],
];
for (const [fields, read] of counts) {
  test(`outlierDetection: {${fields}}`, () => assert.deepEqual(outlier(fields), read));
}

test("what has no effect yet is told in one notice", () => {
  const { notices, issues } = read(`trafficPolicy:
  proxyProtocol: {version: V1}
  retryBudget: {percent: 20}
  tunnel: {targetHost: a, targetPort: 1}
  loadBalancer:
    warmup: {duration: 1s}
    warmupDurationSecs: 1s
    localityLbSetting: {enabled: false}
    zoneAwareLbSetting: {enabled: false}
    backendUtilization: {weightUpdatePeriod: 1s}
    consistentHash: {useSourceIp: true, maglev: {tableSize: 3}}
  connectionPool:
    tcp: {tcpKeepalive: {interval: 1s, probes: 3}}
    http: {maxConcurrentStreams: 1, http2KeepAlive: {interval: 1s, timeout: 1s}}
  outlierDetection: {consecutiveErrors: 1, outlierDetectionHttpErrorCodes: [500]}`);
  assert.deepEqual(issues, []);
  assert.equal(notices.length, 1);
  const told = /without effect here yet: (.*)$/.exec(notices[0] ?? "")?.[1]?.split(", ");
  assert.deepEqual(told?.map((path) => path.replace("trafficPolicy.", "")).toSorted(), [
    "connectionPool.http.http2KeepAlive",
    "connectionPool.http.maxConcurrentStreams",
    "connectionPool.tcp.tcpKeepalive.interval",
    "connectionPool.tcp.tcpKeepalive.probes",
    "loadBalancer.backendUtilization",
    "loadBalancer.consistentHash.maglev",
    "loadBalancer.localityLbSetting",
    "loadBalancer.warmup",
    "loadBalancer.warmupDurationSecs",
    "loadBalancer.zoneAwareLbSetting",
    "outlierDetection.consecutiveErrors",
    "outlierDetection.outlierDetectionHttpErrorCodes",
    "proxyProtocol",
    "retryBudget",
    "tunnel",
  ]);
});

test("a field that nobody knows is told", () => {
  const { issues } = read("trafficPolicy: {loadBalancer: {sinple: RANDOM}}");
  assert.match(issues.join(), /trafficPolicy\.loadBalancer\.sinple: is not a known field; did you/);
});
