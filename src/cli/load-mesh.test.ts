import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { plannedMesh } from "../../test/kit/planned-mesh.ts";
import { noticesOf } from "./load-mesh.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: web}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec: {containers: [{name: a, image: x}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: web}
spec:
  hosts: [a.example]
  ports: [{name: http, number: 80, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1}]`;

const told: readonly [mode: "loopback" | "namespaces", message: RegExp][] = [
  [
    "loopback",
    /^are reached by the sidecar's HTTP proxy alone where pods share the machine's loopback/,
  ],
  ["namespaces", /^"127\.0\.0\.1" is the calling pod itself/],
];
for (const [mode, message] of told) {
  test(`what is told of a mesh in ${mode} mode is of that mode alone`, () => {
    const parsed = { resources: resourcesOf(MESH), issues: [], notices: [] };
    const notices = noticesOf(parsed, { mode }).filter(({ path }) => path !== "");
    assert.equal(notices.length, 1);
    assert.match(notices[0]?.message ?? "", message);
  });
}

const READERS = `${MESH}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: readers, namespace: web}
spec:
  selector: {matchLabels: {app: reader}}
  rules: [{from: [{source: {principals: [cluster.local/ns/web/sa/reader]}}]}]`;
const JOINED = `
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reader, namespace: web}
spec:
  selector: {matchLabels: {app: reader}}
  template:
    metadata: {labels: {app: reader}}
    spec: {serviceAccountName: reader, containers: [{name: a, image: x}]}`;

test("workloads that joined the running mesh count, though nobody has written them", () => {
  const parsed = { resources: resourcesOf(READERS), issues: [], notices: [] };
  const { workloads } = plannedMesh(JOINED).snapshot;
  const ofReaders = (running: typeof workloads): readonly string[] =>
    noticesOf(parsed, { running })
      .map(({ message }) => message)
      .filter((message) => message.includes("reader"));
  assert.equal(ofReaders([]).length, 2);
  assert.deepEqual(ofReaders(workloads), []);
});
