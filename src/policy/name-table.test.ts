import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { buildDestinations } from "./destinations.ts";
import { type NameAnswer, nameTableOf } from "./name-table.ts";
import type { Destination } from "./workload-view.ts";

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: a, port: 80}, {name: b, port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: etcd}, ports: [{name: a, port: 2379}, {name: b, port: 2380}]}
---
apiVersion: v1
kind: Service
metadata: {name: early, namespace: shop}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: etcd}, ports: [{port: 2380}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: shop}
spec: {clusterIP: None, selector: {app: nobody}, ports: [{port: 1}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: dev}
spec: {selector: {app: api}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: etcd, namespace: shop}
spec:
  replicas: 3
  serviceName: peers
  selector: {matchLabels: {app: etcd}}
  template:
    metadata: {labels: {app: etcd}}
    spec: {containers: [{name: a, image: x}]}
`;

const table = nameTableOf(
  buildDestinations(snapshotOf(MESH, { addressing: "own", notReady: ["shop/etcd-2"] })),
);
/** Hosts in the network of services, or of pods. */
const at = (network: "96" | "244", ...hosts: number[]): NameAnswer => ({
  ipv4: hosts.map((host) => `10.${network}.0.${host}`),
  ipv6: hosts.map((host) => `fd00:10:${network}::${host}`),
});
const EMPTY: NameAnswer = { ipv4: [], ipv6: [] };

const cases: [name: string, namespace: string | undefined, answer: NameAnswer][] = [
  ["api.shop.svc.cluster.local", undefined, at("96", 1)],
  ["api.shop.svc", undefined, at("96", 1)],
  ["api.shop", undefined, at("96", 1)],
  ["api", undefined, "not-ours"],
  ["api", "shop", at("96", 1)],
  ["api", "dev", at("96", 2)],
  ["api", "elsewhere", "not-ours"],
  ["api.dev", "shop", at("96", 2)],
  ["peers.shop.svc.cluster.local", undefined, at("244", 1, 2)],
  ["early.shop.svc.cluster.local", undefined, at("244", 1, 2, 3)],
  ["etcd-0.peers.shop.svc.cluster.local", undefined, at("244", 1)],
  ["etcd-1.peers.shop", undefined, at("244", 2)],
  ["etcd-1.peers", "shop", at("244", 2)],
  ["etcd-2.peers.shop.svc.cluster.local", undefined, "no-such-name"],
  ["etcd-0.early.shop.svc.cluster.local", undefined, "no-such-name"],
  ["etcd-0.api.shop.svc.cluster.local", undefined, "no-such-name"],
  ["nobody.shop.svc.cluster.local", undefined, "no-such-name"],
  ["other.shop.svc.cluster.local", undefined, "no-such-name"],
  ["other.shop.svc", undefined, "no-such-name"],
  ["api.shop.cluster.local", undefined, "no-such-name"],
  ["cluster.local", undefined, EMPTY],
  ["svc.cluster.local", undefined, EMPTY],
  ["shop.svc.cluster.local", undefined, "no-such-name"],
  ["other.dev", "shop", "not-ours"],
  ["registry.example.com", "shop", "not-ours"],
  ["mycluster.local", "shop", "not-ours"],
  ["toString", "shop", "not-ours"],
  ["__proto__.shop.svc.cluster.local", undefined, "no-such-name"],
  ["", "shop", "not-ours"],
];
for (const [name, namespace, answer] of cases) {
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  test(`"${name}"${where} is ${JSON.stringify(answer)}`, () => {
    assert.deepEqual(table.find(name, { namespace }), answer);
  });
}

/** As a ServiceEntry of another namespace has it, which all callers see. */
function claimed(host: string, serviceNamespace = "evil"): Destination {
  return {
    serviceName: host,
    serviceNamespace,
    host,
    servicePort: 80,
    protocol: "auto",
    addresses: ["240.240.0.1"],
    identities: [],
    serverName: "",
    endpoints: [],
    serviceEntry: {
      origin: {
        ref: { kind: "ServiceEntry", namespace: serviceNamespace, name: "claim" },
        source: { file: "mesh.yaml", line: 1 },
      },
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
    },
  };
}

const CLAIMED: NameAnswer = { ipv4: ["240.240.0.1"], ipv6: [] };
const claims: [host: string, asked: string, namespace: string | undefined, NameAnswer][] = [
  ["api", "api", "shop", at("96", 1)],
  ["api", "api", "elsewhere", CLAIMED],
  ["api.shop", "api.shop", undefined, at("96", 1)],
  ["api.shop.svc", "api.shop.svc", undefined, at("96", 1)],
  ["api.shop.cluster.local", "api.shop", undefined, at("96", 1)],
  ["peers.shop.svc.cluster.local", "peers.shop.svc.cluster.local", "shop", at("244", 1, 2)],
  ["etcd-0.peers.shop.svc.cluster.local", "etcd-0.peers", "shop", at("244", 1)],
  ["etcd-2.peers.shop.svc.cluster.local", "etcd-2.peers", "shop", "not-ours"],
  [
    "etcd-2.peers.shop.svc.cluster.local",
    "etcd-2.peers.shop.svc.cluster.local",
    "shop",
    "no-such-name",
  ],
  ["registry.example.com", "registry.example.com", "shop", CLAIMED],
];
for (const [host, asked, namespace, answer] of claims) {
  test(`a foreign ServiceEntry that claims "${host}": "${asked}" in ${namespace} is ${JSON.stringify(answer)}`, () => {
    const services = buildDestinations(
      snapshotOf(MESH, { addressing: "own", notReady: ["shop/etcd-2"] }),
    );
    assert.deepEqual(nameTableOf([...services, claimed(host)]).find(asked, { namespace }), answer);
  });
}

test("a namespace may give the pods of its own headless service other names", () => {
  const services = buildDestinations(snapshotOf(MESH, { addressing: "own" }));
  const host = "etcd-9.peers.shop.svc.cluster.local";
  assert.deepEqual(nameTableOf([...services, claimed(host, "shop")]).find(host), CLAIMED);
});

test("where pods share the loopback no service has a name", () => {
  const loopback = nameTableOf(buildDestinations(snapshotOf(MESH)));
  assert.equal(loopback.find("api.shop.svc.cluster.local"), "no-such-name");
});

test("a pod without an address of its own adds none to the name of its headless service", () => {
  const destinations = buildDestinations(snapshotOf(MESH, { addressing: "own" }))
    .filter(({ serviceName }) => serviceName === "peers")
    .map((one) => ({
      ...one,
      endpoints: one.endpoints.map(({ podAddresses, ...rest }) =>
        rest.workload === "etcd-1" && podAddresses ? { ...rest, podAddresses } : rest,
      ),
    }));
  const names = nameTableOf(destinations);
  assert.deepEqual(names.find("peers.shop.svc.cluster.local"), at("244", 2));
  assert.deepEqual(names.find("etcd-0.peers.shop.svc.cluster.local"), EMPTY);
});

const label = fc.constantFrom("a", "b", "api", "dev", "svc", "cluster", "local", "x-1");
const host = fc.integer({ min: 0, max: 255 });
const endpoint = fc.record({ pod: host, hostname: fc.option(label, { nil: undefined }) });
const destination = fc
  .record({
    serviceName: label,
    serviceNamespace: label,
    servicePort: fc.constantFrom(80, 81),
    kind: fc.constantFrom("headless" as const, "with-address" as const),
    endpoints: fc.array(endpoint, { maxLength: 3 }),
  })
  .map(({ kind, endpoints, ...names }): Destination => {
    const { serviceName, serviceNamespace, servicePort } = names;
    return {
      ...names,
      host: `${serviceName}.${serviceNamespace}.svc.cluster.local`,
      protocol: "auto",
      identities: [],
      serverName: "",
      ...(kind === "headless"
        ? { headless: true, addresses: [] }
        : { addresses: [`10.96.0.${servicePort}`, `fd00::${servicePort}`] }),
      endpoints: endpoints.map(({ pod, hostname }) => ({
        workload: `pod-${pod}`,
        address: { address: `10.244.0.${pod}`, port: 1 },
        podAddresses: [`10.244.0.${pod}`, `fd00:1::${pod}`],
        ...(hostname !== undefined && { hostname }),
        mutualTls: true,
      })),
    };
  });

test("law: every host resolves to its addresses, in full and shortened, and each pod's name to the pod's", () => {
  fc.assert(
    fc.property(fc.array(destination, { minLength: 1, maxLength: 6 }), (destinations) => {
      const names = nameTableOf(destinations);
      for (const { host: full, serviceName, serviceNamespace, ...rest } of destinations) {
        const pods = rest.endpoints.flatMap(({ podAddresses = [] }) => podAddresses);
        const expected = rest.headless ? pods : (rest.addresses ?? []);
        const answer = names.find(full);
        assert.deepEqual(
          names.find(serviceName, { namespace: serviceNamespace }),
          answer === "no-such-name" ? "not-ours" : answer,
        );
        if (answer === "no-such-name") {
          assert.deepEqual(expected, []);
          continue;
        }
        assert.ok(answer !== "not-ours");
        const found = [...answer.ipv4, ...answer.ipv6];
        assert.equal(new Set(found).size, found.length);
        for (const address of expected) assert.ok(found.includes(address));
        for (const { hostname, podAddresses = [] } of rest.headless ? rest.endpoints : []) {
          if (hostname === undefined) continue;
          const own = names.find(`${hostname}.${full}`);
          assert.ok(typeof own === "object");
          for (const address of podAddresses) {
            assert.ok([...own.ipv4, ...own.ipv6].includes(address));
          }
        }
      }
    }),
  );
});

test("thousands of services are found at once", () => {
  const [one] = buildDestinations(snapshotOf(MESH, { addressing: "own" }));
  assert.ok(one);
  const many = Array.from({ length: 5_000 }, (_, index) => ({
    ...one,
    host: `s${index}.shop.svc.cluster.local`,
  }));
  const names = nameTableOf(many);
  const begun = performance.now();
  for (let asked = 0; asked < 100_000; asked++) {
    assert.notEqual(names.find(`s${asked % 5_000}`, { namespace: "shop" }), "not-ours");
  }
  const microseconds = ((performance.now() - begun) * 1_000) / 100_000;
  assert.ok(microseconds < 50, `${microseconds} µs a name`);
});
