import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { buildWorkloadViews } from "./build-workload-view.ts";
import { buildDestinations } from "./destinations.ts";
import { exportServices } from "./export-services.ts";
import type { ExportedService } from "./exported-services.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { RemoteClusterServices } from "./remote-cluster-services.ts";
import type { Destination } from "./workload-view.ts";

const namespace = (labels = "") => `
---
apiVersion: v1
kind: Namespace
metadata: {name: shop${labels}}`;
const deployment = (name: string) => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]`;
const service = (name: string, ports = "[{name: http, port: 80, targetPort: 8080}]") => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: ${ports}}`;
const meshConfig = (text: string) => `
---
${text}`;

const INJECTED = namespace(", labels: {istio-injection: enabled}");
const LOCAL = INJECTED + deployment("api") + service("api") + service("web");

const withClusters = (
  snapshot: MeshSnapshot,
  ...remoteClusters: RemoteClusterServices[]
): MeshSnapshot => ({ ...snapshot, remoteClusters });

const remote = (
  name: string,
  {
    port = 80,
    account = name,
    at = [9001],
  }: { port?: number; account?: string; at?: number[] } = {},
): ExportedService => ({
  namespace: "shop",
  name,
  identities: [parseSpiffeId(`spiffe://cluster.local/ns/shop/sa/${account}`)],
  ports: [
    {
      port,
      protocol: "tcp",
      endpoints: at.map((number) => ({
        workload: `${name}-0`,
        address: { address: "127.0.0.1", port: number },
        mutualTls: true,
      })),
    },
  ],
});

const named = (destinations: readonly Destination[], name: string): Destination => {
  const found = destinations.find(({ serviceName }) => serviceName === name);
  assert.ok(found, `no destination ${name}`);
  return found;
};
const socketsOf = ({ endpoints }: Destination): number[] =>
  endpoints.map(({ address }) => address.port);

test("CA-54: a service of both clusters: own endpoints first, the union of identities, the own protocol", () => {
  const east = { cluster: "east", services: [remote("api", { account: "api-east" })] };
  const destination = named(buildDestinations(withClusters(snapshotOf(LOCAL), east)), "api");
  assert.deepEqual(socketsOf(destination), [18080, 9001]);
  assert.equal(destination.protocol, "http");
  assert.deepEqual(destination.identities, [
    "spiffe://cluster.local/ns/shop/sa/api",
    "spiffe://cluster.local/ns/shop/sa/api-east",
  ]);
});

test("a Service without pods here leads to the other cluster alone, with its own listeners", () => {
  const east = { cluster: "east", services: [remote("web")] };
  const snapshot = withClusters(snapshotOf(LOCAL), east);
  assert.deepEqual(socketsOf(named(buildDestinations(snapshot), "web")), [9001]);
  const listeners = [...buildWorkloadViews(snapshot).values()].flatMap(({ outbound }) =>
    outbound.destinations
      .filter(({ serviceName }) => serviceName === "web")
      .map(({ listen }) => listen),
  );
  assert.equal(listeners.length, 1);
  assert.ok(listeners[0]);
});

test("a service that only another cluster has is a destination by name, without a listener", () => {
  const east = { cluster: "east", services: [remote("billing")] };
  const snapshot = withClusters(snapshotOf(LOCAL), east);
  assert.deepEqual(buildDestinations(snapshot).at(-1), {
    serviceNamespace: "shop",
    serviceName: "billing",
    host: "billing.shop.svc.cluster.local",
    servicePort: 80,
    protocol: "tcp",
    identities: ["spiffe://cluster.local/ns/shop/sa/billing"],
    serverName: "outbound_.80_._.billing.shop.svc.cluster.local",
    endpoints: [
      { workload: "billing-0", address: { address: "127.0.0.1", port: 9001 }, mutualTls: true },
    ],
  });
  assert.deepEqual(
    [...buildWorkloadViews(snapshot).keys()],
    ["shop/api-0"],
    "no view for a workload of another cluster",
  );
});

test("ports are matched by number: one that the own Service does not have is not added", () => {
  const east = { cluster: "east", services: [remote("api", { port: 81 })] };
  const found = buildDestinations(withClusters(snapshotOf(LOCAL), east));
  assert.deepEqual(
    found.map(({ servicePort }) => servicePort),
    [80, 80],
  );
  assert.deepEqual(socketsOf(named(found, "api")), [18080]);
});

test("TLS-34, CA-55: identities of another cluster are accepted in every trust domain that is ours", () => {
  const config = meshConfig("trustDomain: cluster.local\ntrustDomainAliases: [east]");
  const east = { cluster: "east", services: [remote("web")] };
  const snapshot = withClusters(snapshotOf(LOCAL + config), east);
  assert.deepEqual(named(buildDestinations(snapshot), "web").identities, [
    "spiffe://cluster.local/ns/shop/sa/web",
    "spiffe://east/ns/shop/sa/web",
  ]);
});

test("TLS-20: without automatic mutual TLS nobody is spoken to in it", () => {
  const config = meshConfig("enableAutoMtls: false");
  const east = { cluster: "east", services: [remote("web")] };
  const snapshot = withClusters(snapshotOf(LOCAL + config), east);
  assert.deepEqual(
    named(buildDestinations(snapshot), "web").endpoints.map(({ mutualTls }) => mutualTls),
    [false],
  );
});

test("a DestinationRule holds for endpoints of all clusters alike (TLS-30)", () => {
  const rule = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec: {host: web, trafficPolicy: {tls: {mode: DISABLE}}}`;
  const east = { cluster: "east", services: [remote("web")] };
  const views = buildWorkloadViews(withClusters(snapshotOf(LOCAL + rule), east));
  const { destinations } = [...views.values()][0]?.outbound ?? { destinations: [] };
  assert.deepEqual(
    named(destinations, "web").endpoints.map(({ mutualTls }) => mutualTls),
    [false],
  );
});

const someService = fc.record({
  name: fc.constantFrom("api", "web", "billing", "cart"),
  port: fc.constantFrom(80, 81),
  account: fc.constantFrom("a", "b", "api"),
  at: fc.uniqueArray(fc.integer({ min: 9000, max: 9999 }), { maxLength: 3 }),
});
const someClusters = fc.uniqueArray(
  fc.record({
    cluster: fc.constantFrom("east", "north", "south"),
    services: fc
      .uniqueArray(someService, { maxLength: 4, selector: ({ name }) => name })
      .map((services) => services.map(({ name, ...rest }) => remote(name, rest))),
  }),
  { maxLength: 3, selector: ({ cluster }) => cluster },
);
const LOCAL_SNAPSHOT = snapshotOf(LOCAL);

test("law: the order of clusters, and of services within them, does not matter", () => {
  fc.assert(
    fc.property(someClusters, fc.array(fc.nat(), { maxLength: 3 }), (clusters, order) => {
      const shuffled = clusters
        .map(({ cluster, services }) => ({ cluster, services: services.toReversed() }))
        .map((each, index) => ({ each, rank: order[index] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ each }) => each);
      assert.deepEqual(
        buildDestinations(withClusters(LOCAL_SNAPSHOT, ...shuffled)),
        buildDestinations(withClusters(LOCAL_SNAPSHOT, ...clusters)),
      );
    }),
  );
});

test("law: union; and what no other cluster has is byte for byte what it was", () => {
  const before = buildDestinations(LOCAL_SNAPSHOT);
  fc.assert(
    fc.property(someClusters, (clusters) => {
      const after = buildDestinations(withClusters(LOCAL_SNAPSHOT, ...clusters));
      for (const own of before) {
        const now = after.find(
          ({ host, servicePort }) => host === own.host && servicePort === own.servicePort,
        );
        assert.ok(now);
        const theirs = clusters.flatMap(({ services }) =>
          services.filter(({ name }) => name === own.serviceName),
        );
        if (theirs.length === 0) assert.equal(JSON.stringify(now), JSON.stringify(own));
        const expected = [
          ...socketsOf(own),
          ...theirs.flatMap(({ ports }) =>
            ports
              .filter(({ port }) => port === own.servicePort)
              .flatMap(({ endpoints }) => endpoints.map(({ address }) => address.port)),
          ),
        ];
        assert.deepEqual(socketsOf(now).sort(), expected.sort());
        const identities = [...own.identities, ...theirs.flatMap((one) => one.identities)];
        assert.deepEqual(now.identities, [...new Set(identities)].sort());
      }
    }),
  );
});

test("without other clusters every view is byte for byte what it was", () => {
  const text = (snapshot: MeshSnapshot) => JSON.stringify([...buildWorkloadViews(snapshot)]);
  assert.equal(text(withClusters(LOCAL_SNAPSHOT)), text(LOCAL_SNAPSHOT));
});

test("what is exported: ready endpoints, issued identities, nothing of other clusters", () => {
  const config = meshConfig("trustDomain: west\ntrustDomainAliases: [east]");
  const east = { cluster: "east", services: [remote("api"), remote("billing")] };
  const ready = withClusters(snapshotOf(LOCAL + config), east);
  assert.deepEqual(exportServices(ready), [
    {
      namespace: "shop",
      name: "api",
      identities: ["spiffe://west/ns/shop/sa/api"],
      ports: [
        {
          port: 80,
          protocol: "http",
          endpoints: [
            { workload: "api-0", address: { address: "127.0.0.1", port: 18080 }, mutualTls: true },
          ],
        },
      ],
    },
    {
      namespace: "shop",
      name: "web",
      identities: [],
      ports: [{ port: 80, protocol: "http", endpoints: [] }],
    },
  ]);
  const [api] = exportServices(snapshotOf(LOCAL, { notReady: ["shop/api-0"] }));
  assert.deepEqual([api?.identities.length, api?.ports[0]?.endpoints], [1, []]);
});

test("a pod without sidecar is exported as one that speaks no mutual TLS", () => {
  const [api] = exportServices(snapshotOf(namespace() + deployment("api") + service("api")));
  assert.deepEqual(
    api?.ports[0]?.endpoints.map(({ mutualTls }) => mutualTls),
    [false],
  );
});
