import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKind } from "../../../../test/kit/api-server-stage.ts";
import { plannedMesh } from "../../../../test/kit/planned-mesh.ts";
import type { Workload } from "../../../policy/workload.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { mirroredEndpoints } from "./mirrored-endpoints.ts";

const { workloads } = plannedMesh(`apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]}
`);
/** Each with a network of its own. */
const apart = workloads.map(
  (workload, index): Workload => ({
    ...workload,
    addresses: { ipv4: `10.244.0.${index + 2}`, ipv6: `fd00::${index + 2}` },
  }),
);

const service = (spec: JsonObject = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "api", namespace: "shop", labels: { team: "shop" } },
  spec: { ports: [{ name: "http", port: 80, targetPort: "web", protocol: "TCP" }], ...spec },
});

const reached = (all: readonly Workload[], ready: readonly boolean[] = [true, true]) => ({
  pods: all.map((workload, index) => ({ planned: { workload }, ready: ready[index] ?? false })),
  node: "here",
});

const cell = (endpoints: KubernetesObject): unknown =>
  servedKind("Endpoints")
    .columns.find(({ name }) => name === "Endpoints")
    ?.cell(endpoints, 0);

test("pods are told by address and port, those that are not ready apart", () => {
  const { subsets, metadata } = mirroredEndpoints(service(), reached(apart, [true, false]));
  const [first, second] = apart.map(({ namespace, name, uid, addresses }) => ({
    ip: addresses?.ipv4,
    nodeName: "here",
    targetRef: { kind: "Pod", namespace, name, uid },
  }));
  assert.deepEqual(subsets, [
    {
      addresses: [first],
      notReadyAddresses: [second],
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    },
  ]);
  assert.equal(metadata.name, "api");
  assert.deepEqual(metadata.labels, {
    team: "shop",
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
  });
});

test("a headless Service says so, and a port without a name has none", () => {
  const spec = { clusterIP: "None", ports: [{ port: 80, targetPort: 8080 }] };
  const { subsets, metadata } = mirroredEndpoints(service(spec), reached(apart));
  assert.equal(metadata.labels?.["service.kubernetes.io/headless"], "");
  const [subset] = subsets as readonly JsonObject[];
  assert.deepEqual(subset?.["ports"], [{ port: 8080, protocol: "TCP" }]);
});

test("on the loopback each pod has its own port, and is a subset of its own", () => {
  const elsewhere = workloads.map(
    (workload, index): Workload => ({
      ...workload,
      ports: workload.ports.map((port) => ({
        ...port,
        listen: { address: "127.0.0.1", port: 26_001 + index },
      })),
    }),
  );
  const endpoints = mirroredEndpoints(service(), reached(elsewhere));
  assert.equal(cell(endpoints), "127.0.0.1:26001,127.0.0.1:26002");
});

const many = Array.from({ length: 5 }, (_, index): Workload => {
  const [first] = apart;
  assert.ok(first);
  return { ...first, addresses: { ipv4: `10.244.0.${index}`, ipv6: "fd00::1" } };
});
const printed: readonly [what: string, endpoints: KubernetesObject, said: string][] = [
  ["no pod", mirroredEndpoints(service(), reached([])), "<none>"],
  ["pods that are not ready", mirroredEndpoints(service(), reached(apart, [])), ""],
  ["no port", mirroredEndpoints(service({ ports: [] }), reached(apart)), "10.244.0.2,10.244.0.3"],
  [
    "more than three",
    mirroredEndpoints(service(), reached(many, [true, true, true, true, true])),
    "10.244.0.0:8080,10.244.0.1:8080,10.244.0.2:8080 + 2 more...",
  ],
];
for (const [what, endpoints, said] of printed) {
  test(`kubectl get endpoints of ${what} prints ${JSON.stringify(said)}`, () => {
    assert.equal(cell(endpoints), said);
  });
}
