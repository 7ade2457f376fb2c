import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { meshNotices } from "./mesh-notices.ts";

const mesh = ({ clusterIp = "None", name = "peers", app = "etcd" } = {}): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: etcd, namespace: shop}
spec:
  replicas: 2
  serviceName: peers
  selector: {matchLabels: {app: etcd}}
  template:
    metadata: {labels: {app: etcd}}
    spec: {containers: [{name: a, image: x}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: x}]}
---
apiVersion: v1
kind: Service
metadata: {name: second, namespace: shop}
spec: {selector: {statefulset.kubernetes.io/pod-name: etcd-1}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {clusterIP: ${clusterIp}, selector: {app: ${app}}, ports: [{port: 2380}]}
`;

const noticesOn = (yaml: string): string[] =>
  meshNotices(resourcesOf(yaml), snapshotOf(yaml).workloads).map(
    ({ source, path, message }) => `${source.line} ${path}: ${message}`,
  );

test("a StatefulSet in order is given no notice, nor a service that selects one pod of it", () => {
  assert.deepEqual(noticesOn(mesh()), []);
});

test("a service that selects a pod that a StatefulSet has not", () => {
  const [notice, ...others] = noticesOn(mesh().replace("pod-name: etcd-1", "pod-name: etcd-2"));
  assert.match(notice ?? "", /^\d+ spec\.selector: .*nobody answers who calls this service/);
  assert.deepEqual(others, []);
});

const cases: [what: string, changes: Parameters<typeof mesh>[0], notice: string][] = [
  [
    "is misspelt",
    { name: "peer" },
    '2 spec.serviceName: "peers" is no Service of namespace shop (did you mean peer?), so that names such as etcd-0.peers lead nowhere',
  ],
  [
    "is missing",
    { name: "unlike" },
    '2 spec.serviceName: "peers" is no Service of namespace shop (add it, with clusterIP: None), so that names such as etcd-0.peers lead nowhere',
  ],
  [
    "is not headless",
    { clusterIp: "''" },
    "2 spec.serviceName: Service peers is not headless (clusterIP: None), so that names such as etcd-0.peers lead nowhere",
  ],
  [
    "selects others",
    { app: "web" },
    "2 spec.serviceName: Service peers does not select these pods, so that names such as etcd-0.peers lead nowhere",
  ],
];
for (const [what, changes, notice] of cases) {
  test(`a StatefulSet whose service ${what} is told so`, () => {
    assert.deepEqual(noticesOn(mesh(changes)), [notice]);
  });
}

test("the ports that are declared instead are told in ascending order", () => {
  const yaml = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 9090}, {containerPort: 800}, {containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 7000}]}
`;
  assert.match(noticesOn(yaml).join(), /declared there: 800, 8080, 9090$/);
});
