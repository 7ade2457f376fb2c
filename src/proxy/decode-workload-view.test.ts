import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { parsedCel } from "../api/cel-expression.ts";
import type { LogFilter } from "../api/log-filter.ts";
import { readCelTree } from "../api/read-cel-tree.ts";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveTrafficPolicy,
  type LoadBalancing,
} from "../policy/effective-traffic-policy.ts";
import type { TlsMaterial } from "../policy/tls-origination.ts";
import {
  type Destination,
  type SideTracing,
  WORKLOAD_VIEW_FORMAT,
  type WorkloadView,
} from "../policy/workload-view.ts";
import { decodeWorkloadView } from "./decode-workload-view.ts";
import { InvalidWorkloadViewError } from "./view-fields.ts";

function logFilterOf(expression: string): LogFilter {
  const tree = readCelTree(parsedCel(expression));
  if (typeof tree === "string") throw new Error(tree);
  return { expression, tree };
}

const sample = sampleView({
  name: "production/api-0",
  identity: "spiffe://cluster.local/ns/production/sa/api",
  rootPem: createThrowawayAuthority().rootPem,
});
const policies = [{ kind: "NetworkPolicy", namespace: "production", name: "few" }] as const;
const { identity } = sample.workload;
const location = { file: "rules.yaml", line: 3 };

const spreadByCookie: EffectiveTrafficPolicy = {
  loadBalancing: {
    algorithm: "RING_HASH",
    key: {
      from: "cookie",
      name: "user",
      path: "/",
      ttlSeconds: 0,
      attributes: [{ name: "SameSite", value: "Lax" }],
    },
    minimumRingSize: 1_024,
  },
  connectionPool: {
    ...DEFAULT_TRAFFIC_POLICY.connectionPool,
    maxRequestsPerConnection: 1,
    httpMaxConnectionDurationMs: 1,
    tcpMaxConnectionDurationMs: 1,
    tcpKeepalive: { idleSeconds: 1 },
    httpVersion: "client's",
  },
  outlierDetection: {
    consecutive5xxErrors: 5,
    consecutiveGatewayErrors: 4,
    consecutiveLocalOriginFailures: 3,
    localOriginFailures: "counted apart",
    intervalMs: 10_000,
    baseEjectionTimeMs: 30_000,
    maxEjectionTimeMs: 300_000,
    maxEjectionPercent: 10,
    minHealthPercent: 0,
  },
};

const spans: SideTracing = {
  collector: {
    provider: "otel",
    host: "collector.shop.svc.cluster.local",
    port: 4317,
    protocol: "grpc",
    path: "/",
    timeoutMs: 10_000,
    headers: { "x-key": "k" },
  },
  serviceName: "api.shop",
  sampledOf10000: 100,
  sampledBy: "request id",
  propagation: "on",
  maxPathLength: 256,
  tags: [
    { name: "a", value: "b" },
    { name: "c", header: "x-c", defaultValue: "" },
    { name: "d", template: "%PROTOCOL%" },
  ],
};

const outside: Pick<Destination, "serviceEntry" | "clientTls" | "tlsOrigination"> = {
  serviceEntry: {
    origin: { ref: policies[0], source: location },
    location: "MESH_EXTERNAL",
    resolution: "DNS",
    targetPort: 443,
    ranges: ["192.0.2.0/24"],
    toldBySni: true,
    lookUp: [{ workload: "a.example", host: "a.example", port: 443, mutualTls: false }],
    subjectAltNames: ["b.example"],
  },
  clientTls: { mode: "MUTUAL", origin: { ref: policies[0], source: location } },
  tlsOrigination: {
    mode: "MUTUAL",
    sni: "a.example",
    subjectAltNames: ["b.example"],
    verification: "name",
    material: {
      from: "secret",
      name: "production/a",
      caPem: "a",
      crlPem: "b",
      certificatePem: "c",
      keyPem: "d",
    },
  },
};

/** With everything that a view may say. */
const view: WorkloadView = {
  ...sample,
  inbound: {
    ...sample.inbound,
    ports: sample.inbound.ports.map((port) => ({
      ...port,
      protocol: "http2",
      admission: { policies, identities: [identity], anyone: false },
    })),
  },
  outbound: {
    ...sample.outbound,
    destinations: sample.outbound.destinations.map((destination) => ({
      ...destination,
      ...outside,
      trafficPolicy: { ...spreadByCookie, origin: { ref: policies[0], source: location } },
      addresses: ["10.96.0.7", "fd00:10:96::7"],
      headless: true,
      endpoints: destination.endpoints.map((endpoint) => ({
        ...endpoint,
        podAddresses: ["10.244.0.5", "fd00:10:244::5"],
        hostname: "database-0",
        refusedBy: { direction: "egress", policies },
      })),
    })),
  },
  interception: {
    undeclaredPorts: {
      mutualTls: { mode: "STRICT", origin: "default" },
      ports: [{ containerPort: 9999, mutualTls: { mode: "DISABLE", origin: "default" } }],
    },
    unknownDestinations: "REGISTRY_ONLY",
  },
  proxyHeaders: {
    forwardedClientCert: "SANITIZE_SET",
    clientCertDetails: ["cert", "uri"],
    requestId: "as received",
  },
  telemetry: {
    inbound: [
      {
        provider: "envoy",
        path: "/dev/stdout",
        format: { encoding: "JSON", template: "{}", omitEmpty: true },
        filter: logFilterOf("has(response.code) && [400].exists(c, response.code >= c)"),
        refusals: "left out",
      },
    ],
    outbound: [],
    tracing: {
      inbound: { ...spans, collector: { ...spans.collector, namespace: "shop" } },
      outbound: spans,
      operations: [{ containerPort: 8080, name: "api.shop.svc.cluster.local:80/*" }],
    },
  },
};

test("a view without what it may leave out is read", () => {
  const json = JSON.stringify(sample);
  assert.deepEqual(decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json }), sample);
});

for (const format of [WORKLOAD_VIEW_FORMAT - 1, WORKLOAD_VIEW_FORMAT + 1]) {
  test(`a view of format ${format} is refused`, () => {
    const json = JSON.stringify(view);
    assert.throws(() => decodeWorkloadView({ format, json }), InvalidWorkloadViewError);
  });
}

test("what is written is what is read", () => {
  assert.deepEqual(
    decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json: JSON.stringify(view) }),
    view,
  );
});

const origin = {
  ref: { kind: "DestinationRule", namespace: "production", name: "old" },
  source: { file: "rules.yaml", line: 7 },
};
/** A view whose destinations were all chosen for by a DestinationRule. */
const keys: LoadBalancing[] = [
  { algorithm: "LEAST_REQUEST" },
  { algorithm: "PASSTHROUGH" },
  ...(["source-ip", "nothing"] as const).map((from) => ringBy({ from })),
  ...(["header", "query-parameter"] as const).map((from) => ringBy({ from, name: "a" })),
];
for (const loadBalancing of keys) {
  const key = "key" in loadBalancing ? ` by ${loadBalancing.key.from}` : "";
  test(`${loadBalancing.algorithm}${key} is read`, () => {
    const json = withTrafficPolicy({ ...spreadByCookie, loadBalancing });
    const read = decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json });
    const [destination] = read.outbound.destinations;
    assert.deepEqual(destination?.trafficPolicy?.loadBalancing, loadBalancing);
  });
}

function ringBy(key: Extract<LoadBalancing, { algorithm: "RING_HASH" }>["key"]): LoadBalancing {
  return { algorithm: "RING_HASH", key, minimumRingSize: 2 ** 64 };
}

const materials: TlsMaterial[] = [
  { from: "files" },
  { from: "files", caCertificates: "/a", caCrl: "/b", clientCertificate: "/c", privateKey: "/d" },
  { from: "secret", name: "production/a", caPem: "a" },
  { from: "nowhere", problem: "none" },
];
for (const material of materials) {
  test(`certificates from ${material.from} are read`, () => {
    const tlsOrigination = { mode: "MUTUAL", verification: "authority", material };
    const destinations = sample.outbound.destinations.map((each) => ({
      ...each,
      clientTls: outside.clientTls,
      tlsOrigination,
    }));
    const json = JSON.stringify({ ...sample, outbound: { ...sample.outbound, destinations } });
    const read = decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json });
    assert.deepEqual(read.outbound.destinations[0]?.tlsOrigination, tlsOrigination);
  });
}

const { connectionPool } = spreadByCookie;
const misread: [name: string, policy: object][] = [
  ["an unknown algorithm", { loadBalancing: { algorithm: "MAGLEV" } }],
  ["a hash without a key", { loadBalancing: { algorithm: "RING_HASH", minimumRingSize: 1 } }],
  [
    "a header without a name",
    { loadBalancing: { ...ringBy({ from: "nothing" }), key: { from: "header" } } },
  ],
  ["a limit of none", { connectionPool: { ...connectionPool, maxRequests: 0 } }],
  ["a time of none", { connectionPool: { ...connectionPool, connectTimeoutMs: 0 } }],
];
for (const [name, wrong] of misread) {
  test(`${name} refuses the view`, () => {
    const json = withTrafficPolicy({ ...spreadByCookie, ...wrong });
    const read = () => decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json });
    assert.throws(read, InvalidWorkloadViewError);
  });
}

function withTrafficPolicy(policy: object): string {
  const trafficPolicy = { ...policy, origin: { ref: policies[0], source: location } };
  const destinations = sample.outbound.destinations.map((each) => ({ ...each, trafficPolicy }));
  return JSON.stringify({ ...sample, outbound: { ...sample.outbound, destinations } });
}

function withClientTls(clientTls: unknown): string {
  const { outbound } = sample;
  assert.ok(outbound.destinations.length > 0);
  const destinations = outbound.destinations.map((each) => ({ ...each, clientTls }));
  return JSON.stringify({ ...sample, outbound: { ...outbound, destinations } });
}

test("TLS-31 what a DestinationRule chose is read", () => {
  for (const mode of ["DISABLE", "ISTIO_MUTUAL"]) {
    const decoded = decodeWorkloadView({
      format: WORKLOAD_VIEW_FORMAT,
      json: withClientTls({ mode, origin }),
    });
    assert.deepEqual(decoded.outbound.destinations[0]?.clientTls, { mode, origin });
  }
});

for (const wrong of [
  { mode: "SIMPLE", origin },
  { mode: "DISABLE", origin: "default" },
  "DISABLE",
]) {
  test(`TLS-39 a choice that cannot be carried refuses the view: ${JSON.stringify(wrong)}`, () => {
    const json = withClientTls(wrong);
    assert.throws(
      () => decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json }),
      InvalidWorkloadViewError,
    );
  });
}

/** Paths to every value inside, leaves and branches. */
function pathsIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...pathsIn(inner).map((path) => [key, ...path]),
  ]);
}

/** A copy in which the value at `path` is replaced. */
function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((inner: unknown, index) =>
      String(index) === key ? replaced(inner, rest, by) : inner,
    );
  return Object.fromEntries(
    Object.entries(value ?? {}).map(([name, inner]) => [
      name,
      name === key ? replaced(inner, rest, by) : inner,
    ]),
  );
}

const paths = pathsIn(view);
test("there are enough places to break", () => assert.ok(paths.length > 60));

for (const wrong of [null, [[1]], { unknown: 1 }]) {
  test(`${JSON.stringify(wrong)} in any place refuses the view`, () => {
    for (const path of paths) {
      const json = JSON.stringify(replaced(view, path, wrong));
      assert.throws(
        () => decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json }),
        InvalidWorkloadViewError,
        path.join("."),
      );
    }
  });
}

test("a field that is not known refuses the view, wherever it is", () => {
  const objects = [[], ...paths].filter((path) => !path.includes("labels"));
  let tried = 0;
  for (const path of objects) {
    const json = JSON.stringify(replaced(view, path, { ...Object(valueAt(path)), surprise: true }));
    assert.throws(
      () => decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json }),
      InvalidWorkloadViewError,
    );
    tried++;
  }
  assert.ok(tried > 60);
});

function valueAt(path: readonly string[]): unknown {
  let value: unknown = view;
  for (const key of path) value = Object.entries(value ?? {}).find(([name]) => name === key)?.[1];
  return value;
}

test("any JSON is read or refused, never anything else", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.throws(
        () => decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json: JSON.stringify(value) }),
        InvalidWorkloadViewError,
      );
    }),
  );
});
