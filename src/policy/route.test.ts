import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { findRoute } from "./route.ts";

const deployment = (name: string): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;
const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
${deployment("cart")}${deployment("web")}---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080}]}
`;
const snapshot = snapshotOf(MESH);
const to = workloadNamed(snapshot, "shop/cart-0");
const [port] = buildWorkloadView(snapshot, to).inbound.ports;
assert.ok(port);
const asked = { to, port };

test("TLS-20, TLS-23 mutual TLS is automatic between sidecars, and a caller without one speaks plaintext", () => {
  const client = workloadNamed(snapshot, "shop/web-0");
  assert.equal(findRoute(snapshot, { ...asked, client })?.mutualTls, true);
  assert.equal(findRoute(snapshot, { ...asked, client: "no-sidecar" })?.mutualTls, false);
});
