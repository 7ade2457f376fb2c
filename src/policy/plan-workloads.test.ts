import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { planWorkloads, podTemplateOf } from "./plan-workloads.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  selector: {app: cart}
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: tcp-admin, port: 90, targetPort: 9090}
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: legacy}
spec:
  selector: {app: old}
  ports: [{name: http, port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      serviceAccountName: cart
      containers:
      - {name: a, image: x, ports: [{name: web, containerPort: 8080}]}
      - {name: b, image: x, ports: [{containerPort: 7070}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: legacy}
spec:
  selector: {matchLabels: {app: old}}
  template:
    metadata: {labels: {app: old}}
    spec: {containers: [{name: a, image: x}]}
`;

function plan(more = "") {
  const asked: string[] = [];
  const resources = resourcesOf(MESH + more);
  const workloads = planWorkloads(resources, {
    place(key) {
      asked.push(key);
      return { address: "127.0.0.1", port: asked.length };
    },
    uid: (key) => `uid of ${key}`,
  });
  return { asked, workloads, resources };
}

test("each replica is a workload named by its index", () => {
  const { workloads } = plan();
  assert.deepEqual(
    workloads.map(({ namespace, name, owner, uid, serviceAccount, injected }) => [
      `${namespace}/${name}`,
      owner,
      uid,
      serviceAccount,
      injected,
    ]),
    [
      ["shop/cart-0", "cart", "uid of shop/cart-0", "cart", true],
      ["shop/cart-1", "cart", "uid of shop/cart-1", "cart", true],
      ["legacy/old-0", "old", "uid of legacy/old-0", "default", false],
    ],
  );
});

test("ports are those of all containers, and numeric targets of services that nobody declared", () => {
  const { workloads } = plan();
  assert.deepEqual(
    workloads[0]?.ports.map(({ name, containerPort }) => [name, containerPort]),
    [
      ["web", 8080],
      ["", 7070],
      ["", 9090],
    ],
  );
});

test("every socket is asked for once, by a key that tells its purpose", () => {
  const { asked } = plan();
  assert.equal(new Set(asked).size, asked.length);
  assert.deepEqual(asked.filter((key) => key.startsWith("shop/cart-1/")).sort(), [
    "shop/cart-1/application/7070",
    "shop/cart-1/application/8080",
    "shop/cart-1/application/9090",
    "shop/cart-1/http-proxy",
    "shop/cart-1/listen/7070",
    "shop/cart-1/listen/8080",
    "shop/cart-1/listen/9090",
    "shop/cart-1/outbound/legacy/old:80",
    "shop/cart-1/outbound/shop/cart:80",
    "shop/cart-1/outbound/shop/cart:90",
  ]);
});

test("without a sidecar callers connect to the application itself, and nothing is served outbound", () => {
  const old = plan().workloads[2];
  assert.deepEqual(old?.ports[0]?.listen, old?.ports[0]?.application);
  assert.deepEqual(old?.outboundListeners, []);
  assert.equal(old?.httpProxy, undefined);
});

const job = ({ name = "migrate", spec = "", labels = "{app: migrate}" } = {}): string => `
---
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}, namespace: shop}
spec:
  ${spec}
  template:
    metadata: {labels: ${labels}}
    spec:
      restartPolicy: Never
      serviceAccountName: migrate
      containers: [{name: a, image: x}]
`;

test("a Job gives one workload, injected by the same rules, and all are ready as planned", () => {
  const { workloads } = plan(
    job({ spec: "completions: 3" }) +
      job({ name: "bare", labels: "{app: migrate, sidecar.istio.io/inject: 'false'}" }) +
      job({ name: "done", spec: "completions: 0" }),
  );
  assert.deepEqual(
    workloads.map(({ name, owner, ownerKind, injected, ready }) => [
      name,
      owner,
      ownerKind,
      injected,
      ready,
    ]),
    [
      ["cart-0", "cart", "Deployment", true, true],
      ["cart-1", "cart", "Deployment", true, true],
      ["old-0", "old", "Deployment", false, true],
      ["migrate-0", "migrate", "Job", true, true],
      ["bare-0", "bare", "Job", false, true],
    ],
  );
  assert.equal(workloads[3]?.serviceAccount, "migrate");
  assert.ok(workloads[3].httpProxy);
  assert.equal(workloads[3].outboundListeners.length, 3);
});

test("a Job beside a Deployment of the same name gives a workload of another name", () => {
  const { workloads } = plan(job({ name: "cart" }) + job({ name: "old" }));
  const names = workloads.map(({ namespace, name }) => `${namespace}/${name}`);
  assert.deepEqual(names.slice(3), ["shop/cart-0-job", "shop/old-0"]);
  assert.equal(new Set(names).size, names.length);
});

test("every workload leads back to what it was made from", () => {
  const { workloads, resources } = plan(job({ name: "cart" }));
  assert.equal(workloads.length, 4);
  for (const workload of workloads) {
    const found = podTemplateOf(resources, workload);
    assert.equal(found?.kind, workload.ownerKind);
    assert.equal(found.meta.name, workload.owner);
    assert.equal(found.meta.namespace, workload.namespace);
    assert.deepEqual(found.template.labels, workload.labels);
  }
  const stranger = { namespace: "legacy", owner: "cart", ownerKind: "Deployment" } as const;
  assert.equal(podTemplateOf(resources, stranger), undefined);
});

const statefulSet = (name: string, spec = "replicas: 2"): string => `
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${name}, namespace: shop}
spec:
  ${spec}
  selector: {matchLabels: {app: etcd}}
  template:
    metadata: {labels: {app: etcd}}
    spec: {containers: [{name: a, image: x, ports: [{name: client, containerPort: 2379}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}-first, namespace: shop}
spec:
  selector: {statefulset.kubernetes.io/pod-name: ${name}-0}
  ports: [{port: 80, targetPort: 8000}]
`;

test("a StatefulSet gives pods by name and index, with labels of their own by which one is selected", () => {
  const { workloads, resources } = plan(statefulSet("etcd"));
  const pods = workloads.filter(({ ownerKind }) => ownerKind === "StatefulSet");
  assert.deepEqual(
    pods.map(({ name, owner, injected, labels, ports }) => [
      name,
      owner,
      injected,
      labels,
      ports.map(({ containerPort }) => containerPort),
    ]),
    [0, 1].map((index) => [
      `etcd-${index}`,
      "etcd",
      true,
      {
        app: "etcd",
        "statefulset.kubernetes.io/pod-name": `etcd-${index}`,
        "apps.kubernetes.io/pod-index": `${index}`,
      },
      index === 0 ? [2379, 8000] : [2379],
    ]),
  );
  for (const pod of pods) assert.equal(podTemplateOf(resources, pod)?.kind, "StatefulSet");
});

test("of owners of one name the StatefulSet's pods keep theirs, and all names differ", () => {
  const { workloads } = plan(statefulSet("cart") + job({ name: "cart" }));
  const names = workloads.map(({ ownerKind, name }) => [ownerKind, name]);
  assert.deepEqual(names, [
    ["Deployment", "cart-0-deployment"],
    ["Deployment", "cart-1-deployment"],
    ["Deployment", "old-0"],
    ["StatefulSet", "cart-0"],
    ["StatefulSet", "cart-1"],
    ["Job", "cart-0-job"],
  ]);
});

test("a pod with addresses keeps its ports, and is asked nothing of the loopback", () => {
  const asked: string[] = [];
  const own = { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" };
  const [cart, joined, old] = planWorkloads(resourcesOf(MESH), {
    place(key) {
      asked.push(key);
      return { address: "127.0.0.1", port: 1 };
    },
    uid: (key) => key,
    addresses: (key) => (key === "shop/cart-1" ? undefined : own),
  });
  assert.deepEqual(cart?.addresses, own);
  assert.equal(cart?.injected, true);
  assert.equal(cart?.httpProxy, undefined);
  assert.deepEqual(cart?.outboundListeners, []);
  assert.deepEqual(
    cart?.ports,
    [
      { name: "web", containerPort: 8080 },
      { name: "", containerPort: 7070 },
      { name: "", containerPort: 9090 },
    ].map((port) => {
      const socket = { address: "10.244.0.2", port: port.containerPort };
      return { ...port, listen: socket, application: socket };
    }),
  );
  assert.deepEqual(old?.addresses, own);
  assert.equal(joined !== undefined && "addresses" in joined, false);
  assert.ok(joined?.httpProxy && asked.length > 0);
  assert.deepEqual([...new Set(asked.map((key) => key.split("/")[1]))], ["cart-1"]);
});
