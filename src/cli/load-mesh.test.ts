import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
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
  ["loopback", /^where pods share the machine's loopback/],
  ["namespaces", /^"127\.0\.0\.1" is the calling pod itself/],
];
for (const [mode, message] of told) {
  test(`what is told of a mesh in ${mode} mode is of that mode alone`, () => {
    const parsed = { resources: resourcesOf(MESH), issues: [], notices: [] };
    const notices = noticesOf(parsed, mode).filter(({ path }) => path !== "");
    assert.equal(notices.length, 1);
    assert.match(notices[0]?.message ?? "", message);
  });
}
