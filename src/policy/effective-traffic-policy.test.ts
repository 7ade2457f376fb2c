import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "../api/decoder.ts";
import { ParseReport } from "../api/parse-report.ts";
import { type TrafficPolicy, trafficPolicy } from "../api/traffic-policy.ts";
import { yamlDocuments } from "../api/yaml-documents.ts";
import { effectiveTrafficPolicy, UNLIMITED } from "./effective-traffic-policy.ts";

/** @param fields of a `trafficPolicy` */
function policy(fields: string): TrafficPolicy {
  const [document] = yamlDocuments(`trafficPolicy: {${fields}}`);
  assert.ok(document?.root?.type === "map");
  const report = new ParseReport("mesh.yaml");
  return trafficPolicy(new Fields(document.root, { line: 1, path: "", report }));
}
const effective = (rule: string, subset?: string) =>
  effectiveTrafficPolicy(policy(rule), {
    servicePort: 80,
    ...(subset !== undefined && { subset: policy(subset) }),
  });

const NOTHING_SAID = {
  loadBalancing: { algorithm: "LEAST_REQUEST" },
  connectionPool: {
    maxConnections: UNLIMITED,
    maxPendingRequests: UNLIMITED,
    maxRequests: UNLIMITED,
    maxRetries: UNLIMITED,
    connectTimeoutMs: 10_000,
    httpIdleTimeoutMs: 3_600_000,
    tcpIdleTimeoutMs: 3_600_000,
    httpVersion: "declared",
  },
};

test("without a rule, Istio's and Envoy's defaults", () => {
  assert.deepEqual(effectiveTrafficPolicy(undefined, { servicePort: 80 }), NOTHING_SAID);
  assert.deepEqual(effective(""), NOTHING_SAID);
});

test("what is effective survives JSON, as everything in a view must", () => {
  const whole = effective(
    `loadBalancer: {consistentHash: {httpCookie: {name: a, ttl: 0s}}},
     connectionPool: {tcp: {maxConnections: 1, tcpKeepalive: {}}}, outlierDetection: {}`,
  );
  assert.deepEqual(JSON.parse(JSON.stringify(whole)), whole);
});

const MAX_7 = "connectionPool: {tcp: {maxConnections: 7}}";
const RANDOM = "loadBalancer: {simple: RANDOM}";
const OUTLIER = "outlierDetection: {consecutive5xxErrors: 1}";
const on80 = (fields: string): string => `portLevelSettings: [{port: {number: 80}, ${fields}}]`;
/** Which of three components counts, by what it says: the algorithm, the most connections, the errors. */
const composed: [name: string, rule: string, subset: string | undefined, effective: unknown[]][] = [
  ["the host's", `${RANDOM}, ${MAX_7}, ${OUTLIER}`, undefined, ["RANDOM", 7, 1]],
  [
    "TLS-42: the port's instead of all",
    `${RANDOM}, ${MAX_7}, ${OUTLIER}, ${on80("loadBalancer: {simple: ROUND_ROBIN}")}`,
    undefined,
    ["ROUND_ROBIN", UNLIMITED, undefined],
  ],
  [
    "TLS-42: a port's that says only tls takes everything back",
    `${RANDOM}, ${MAX_7}, ${OUTLIER}, ${on80("tls: {mode: DISABLE}")}`,
    undefined,
    ["LEAST_REQUEST", UNLIMITED, undefined],
  ],
  [
    "another port's is nothing to this one",
    `${RANDOM}, portLevelSettings: [{port: {number: 81}, ${MAX_7}}]`,
    undefined,
    ["RANDOM", UNLIMITED, undefined],
  ],
  [
    "a subset's components, each for itself",
    `${RANDOM}, ${MAX_7}`,
    `loadBalancer: {simple: ROUND_ROBIN}, ${OUTLIER}`,
    ["ROUND_ROBIN", 7, 1],
  ],
  [
    "a subset's over the rule's for the port, not over the rule's own",
    `${MAX_7}, ${on80(RANDOM)}`,
    OUTLIER,
    ["RANDOM", UNLIMITED, 1],
  ],
  [
    "a subset's for the port instead of all",
    `${RANDOM}, ${MAX_7}`,
    `loadBalancer: {simple: ROUND_ROBIN}, ${on80(OUTLIER)}`,
    ["LEAST_REQUEST", UNLIMITED, 1],
  ],
  [
    "an empty component counts too",
    `${RANDOM}, ${OUTLIER}`,
    "loadBalancer: {}",
    ["LEAST_REQUEST", UNLIMITED, 1],
  ],
  ["a subset that says nothing", RANDOM, "", ["RANDOM", UNLIMITED, undefined]],
];
for (const [name, rule, subset, expected] of composed) {
  test(name, () => {
    const { loadBalancing, connectionPool, outlierDetection } = effective(rule, subset);
    assert.deepEqual(
      [
        loadBalancing.algorithm,
        connectionPool.maxConnections,
        outlierDetection?.consecutive5xxErrors,
      ],
      expected,
    );
  });
}

const balancing: [fields: string, effective: unknown][] = [
  ["simple: UNSPECIFIED", { algorithm: "LEAST_REQUEST" }],
  ["simple: LEAST_CONN", { algorithm: "LEAST_REQUEST" }],
  ["simple: PASSTHROUGH", { algorithm: "PASSTHROUGH" }],
  [
    "consistentHash: {useSourceIp: true}",
    { algorithm: "RING_HASH", key: { from: "source-ip" }, minimumRingSize: 1_024 },
  ],
  [
    "consistentHash: {httpHeaderName: a, ringHash: {minimumRingSize: 9}}",
    { algorithm: "RING_HASH", key: { from: "header", name: "a" }, minimumRingSize: 9 },
  ],
  [
    "consistentHash: {httpHeaderName: a, ringHash: {minimumRingSize: 8388609}}",
    { algorithm: "RING_HASH", key: { from: "header", name: "a" }, minimumRingSize: 8_388_608 },
  ],
  ["simple: ROUND_ROBIN, warmup: {duration: 1s}", { algorithm: "ROUND_ROBIN" }],
];
for (const [fields, expected] of balancing) {
  test(`loadBalancer: {${fields}}`, () =>
    assert.deepEqual(effective(`loadBalancer: {${fields}}`).loadBalancing, expected));
}

const TCP_IDLE = { httpIdleTimeoutMs: 5_000, tcpIdleTimeoutMs: 5_000 };
const pools: [fields: string, effective: Record<string, unknown>][] = [
  ["tcp: {idleTimeout: 5s}", TCP_IDLE],
  ["tcp: {idleTimeout: 5s}, http: {idleTimeout: 9s}", { ...TCP_IDLE, httpIdleTimeoutMs: 9_000 }],
  ["http: {idleTimeout: 9s}", { httpIdleTimeoutMs: 9_000 }],
  ["tcp: {idleTimeout: 0s}", { httpIdleTimeoutMs: undefined, tcpIdleTimeoutMs: undefined }],
  [
    "tcp: {maxConnectionDuration: 1m}",
    { httpMaxConnectionDurationMs: 60_000, tcpMaxConnectionDurationMs: 60_000 },
  ],
  ["tcp: {connectTimeout: 30ms}", { connectTimeoutMs: 30 }],
  ["tcp: {tcpKeepalive: {time: 9s}}", { tcpKeepalive: { idleSeconds: 9 } }],
  ["http: {http1MaxPendingRequests: 1}", { maxPendingRequests: 1 }],
  ["http: {http2MaxRequests: 1}", { maxRequests: 1 }],
  ["http: {maxRetries: 1}", { maxRetries: 1 }],
  ["http: {maxRequestsPerConnection: 1}", { maxRequestsPerConnection: 1 }],
  ["http: {maxRequestsPerConnection: 0}", {}],
  ["http: {h2UpgradePolicy: UPGRADE}", { httpVersion: "HTTP/2" }],
  ["http: {h2UpgradePolicy: DO_NOT_UPGRADE}", {}],
  ["http: {useClientProtocol: true}", { httpVersion: "client's" }],
];
for (const [fields, expected] of pools) {
  test(`connectionPool: {${fields}}`, () => {
    const { connectionPool } = effective(`connectionPool: {${fields}}`);
    const merged = { ...NOTHING_SAID.connectionPool, ...expected };
    const present = Object.entries(merged).filter(([, value]) => value !== undefined);
    assert.deepEqual(connectionPool, Object.fromEntries(present));
  });
}

test("how long TCP may last is the rule's own to say, as it is the listener's in Istio", () => {
  const own = "connectionPool: {tcp: {idleTimeout: 5s}}";
  const { connectionPool } = effective(
    `${own}, ${on80("connectionPool: {tcp: {idleTimeout: 1s}}")}`,
  );
  assert.equal(connectionPool.tcpIdleTimeoutMs, 5_000);
  assert.equal(connectionPool.httpIdleTimeoutMs, 1_000);
});

test("the mesh's own time to connect", () => {
  const asked = { servicePort: 80, connectTimeoutMs: 2_000 };
  const ofMesh = effectiveTrafficPolicy(undefined, asked);
  assert.equal(ofMesh.connectionPool.connectTimeoutMs, 2_000);
  const own = policy("connectionPool: {tcp: {connectTimeout: 1s}}");
  assert.equal(effectiveTrafficPolicy(own, asked).connectionPool.connectTimeoutMs, 1_000);
});

const OUTLIER_DEFAULTS = {
  consecutive5xxErrors: 5,
  localOriginFailures: "gateway errors",
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 10,
  minHealthPercent: 0,
};
const APART = { localOriginFailures: "counted apart" };
const outliers: [fields: string, effective: Record<string, unknown>][] = [
  ["", {}],
  ["consecutive5xxErrors: 0", { consecutive5xxErrors: undefined }],
  ["consecutive5xxErrors: 3", { consecutive5xxErrors: 3 }],
  ["consecutiveGatewayErrors: 3", { consecutiveGatewayErrors: 3 }],
  ["consecutiveGatewayErrors: 0", {}],
  ["consecutiveErrors: 3", {}],
  ["splitExternalLocalOriginErrors: true", { ...APART, consecutiveLocalOriginFailures: 5 }],
  [
    "splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 0",
    { ...APART, consecutiveLocalOriginFailures: 5 },
  ],
  [
    "splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2",
    { ...APART, consecutiveLocalOriginFailures: 2 },
  ],
  ["interval: 1s", { intervalMs: 1_000 }],
  ["baseEjectionTime: 1s", { baseEjectionTimeMs: 1_000 }],
  ["baseEjectionTime: 15m", { baseEjectionTimeMs: 900_000, maxEjectionTimeMs: 900_000 }],
  ["maxEjectionPercent: 0", {}],
  [
    "maxEjectionPercent: 100, minHealthPercent: 30",
    { maxEjectionPercent: 100, minHealthPercent: 30 },
  ],
];
for (const [fields, expected] of outliers) {
  test(`outlierDetection: {${fields}}`, () => {
    const merged = { ...OUTLIER_DEFAULTS, ...expected };
    const present = Object.entries(merged).filter(([, value]) => value !== undefined);
    const { outlierDetection } = effective(`outlierDetection: {${fields}}`);
    assert.deepEqual(outlierDetection, Object.fromEntries(present));
  });
}
