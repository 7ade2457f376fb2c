import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvoyConfig } from "../../../envoy/envoy-json.ts";
import type { ClusterObjects, VirtualServiceObject } from "./cluster-objects.ts";
import { describePod, describeService, NotInClusterError } from "./describe-cluster.ts";
import type { DescribedCluster } from "./description.ts";

const BY = "/apis/networking.istio.io/v1/namespaces/shop";
const config: EnvoyConfig = {
  listeners: [],
  clusters: [
    {
      name: "outbound|80||api.shop.svc.cluster.local",
      metadata: { filterMetadata: { istio: { config: `${BY}/destination-rule/api` } } },
    },
  ],
  routes: [
    {
      name: "80",
      virtualHosts: [
        {
          domains: ["api.shop.svc.cluster.local"],
          routes: [
            { metadata: { filterMetadata: { istio: { config: `${BY}/virtual-service/api` } } } },
          ],
        },
      ],
    },
  ],
  endpoints: [],
};

const virtualService: VirtualServiceObject = {
  metadata: { name: "api", namespace: "shop" },
  spec: {
    http: [
      {
        match: [{ uri: { prefix: "/v2" }, headers: { canary: { exact: "yes" } } }],
        route: [{ destination: { host: "api", subset: "v2" }, weight: 100 }],
      },
      { route: [{ destination: { host: "api.shop.svc.cluster.local", subset: "v1" }, weight: 5 }] },
    ],
  },
};

function clusterWith(objects: Partial<ClusterObjects>): DescribedCluster {
  return {
    namespace: "shop",
    configOf: async () => config,
    objects: {
      pods: [
        {
          metadata: { name: "api-0", namespace: "shop", labels: { app: "api", version: "v1" } },
          spec: {
            containers: [
              { name: "server", ports: [{ name: "web", containerPort: 8080, protocol: "TCP" }] },
              { name: "istio-proxy" },
            ],
          },
          status: {
            phase: "Running",
            containerStatuses: [
              { name: "server", ready: false },
              { name: "istio-proxy", ready: true },
            ],
          },
        },
      ],
      services: [
        {
          metadata: { name: "api", namespace: "shop" },
          spec: {
            selector: { app: "api" },
            ports: [{ name: "grpc-x", port: 80, protocol: "TCP", targetPort: "web" }],
          },
        },
      ],
      configmaps: [],
      destinationrules: [
        {
          metadata: { name: "api", namespace: "shop" },
          spec: {
            host: "api",
            subsets: [
              { name: "v1", labels: { version: "v1" } },
              { name: "v2", labels: { version: "v2" } },
            ],
            trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" } },
          },
        },
      ],
      virtualservices: [virtualService],
      gateways: [],
      peerauthentications: [],
      ...objects,
    },
  };
}

test("a pod is told with its services, the rules of its proxy, and its mode", async () => {
  const lines = await describePod({ namespace: "shop", name: "api-0" }, clusterWith({}));
  assert.deepEqual(lines, [
    "Pod: api-0",
    "   Pod Revision: ",
    "   Pod Ports: 8080 (server)",
    "WARNING: Pod api-0 Container server NOT READY",
    "--------------------",
    "Service: api",
    "   Port: grpc-x 80/GRPC targets pod port 8080",
    'DestinationRule: api for "api"',
    "   Matching subsets: v1",
    "      (Non-matching subsets v2)",
    "   Traffic Policy TLS Mode: ISTIO_MUTUAL",
    "VirtualService: api",
    '   Route to host "api.shop.svc.cluster.local" subset "v1" with weight 5%',
    "   1 additional destination(s) that will not reach this pod",
    "--------------------",
    "Effective PeerAuthentication:",
    "   Workload mTLS mode: PERMISSIVE",
    "Skipping Gateway information (no ingress gateway pods)",
  ]);
});

test("PA-1: the mode is the nearest that is set, the oldest of one place; ports may have their own", async () => {
  const cluster = clusterWith({
    peerauthentications: [
      { metadata: { name: "late", namespace: "istio-system", creationTimestamp: "2026-02-01" } },
      {
        metadata: { name: "mesh", namespace: "istio-system", creationTimestamp: "2026-01-01" },
        spec: { mtls: { mode: "STRICT" } },
      },
      { metadata: { name: "other", namespace: "elsewhere" }, spec: { mtls: { mode: "DISABLE" } } },
      {
        metadata: { name: "api", namespace: "shop" },
        spec: {
          selector: { matchLabels: { app: "api" } },
          mtls: { mode: "UNSET" },
          portLevelMtls: { "8080": { mode: "DISABLE" }, "9090": {} },
        },
      },
    ],
  });
  const lines = await describePod({ namespace: "shop", name: "api-0" }, cluster);
  const from = lines.indexOf("Effective PeerAuthentication:");
  assert.deepEqual(lines.slice(from + 1, from + 7), [
    "   Workload mTLS mode: STRICT",
    "   Port Level mTLS mode:",
    "      8080: DISABLE",
    "      9090: STRICT",
    "Applied PeerAuthentication:",
    "   late.istio-system, mesh.istio-system, api.shop",
  ]);
});

test("what a proxy names and is not there is told as stale", async () => {
  const cluster = clusterWith({ destinationrules: [], virtualservices: [] });
  const lines = await describeService({ namespace: "shop", name: "api" }, cluster);
  assert.deepEqual(lines.slice(2, 4), [
    "WARNING: Proxy is stale; it references to non-existent destination rule api.shop",
    "WARNING: Proxy is stale; it references to non-existent virtual service api.shop",
  ]);
});

test("a subset that no DestinationRule has is named", async () => {
  const lines = await describeService(
    { namespace: "shop", name: "api" },
    clusterWith({ destinationrules: [] }),
  );
  const from = lines.indexOf("VirtualService: api");
  assert.deepEqual(lines.slice(from + 1, from + 4), [
    "   WARNING: No destinations match pod subsets (checked 2 HTTP routes)",
    "      Warning: Route to subset v2 but NO DESTINATION RULE defining subsets!",
    "      Warning: Route to subset v1 but NO DESTINATION RULE defining subsets!",
  ]);
});

test("a service without pods, and one without pods of the mesh", async () => {
  const named = { namespace: "shop", name: "api" };
  assert.deepEqual(await describeService(named, clusterWith({ pods: [] })), [
    'Service "api" has no pods.',
  ]);
  const [pod] = clusterWith({}).objects.pods;
  assert.ok(pod);
  const plain = { ...pod, status: { phase: "Running", containerStatuses: [] } };
  assert.deepEqual((await describeService(named, clusterWith({ pods: [plain] }))).slice(0, 2), [
    'Pod api-0: no container "istio-proxy" in pod',
    'Service "api" has no Istio pods.  (1 pods in service).',
  ]);
});

test("what is not there is said in the words of Kubernetes", async () => {
  const nobody = { namespace: "shop", name: "nobody" };
  await assert.rejects(describePod(nobody, clusterWith({})), (error) => {
    assert.ok(error instanceof NotInClusterError);
    assert.equal(error.message, 'pods "nobody" not found');
    return true;
  });
});
