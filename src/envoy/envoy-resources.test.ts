import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { MeshViews } from "../policy/mesh-views.ts";
import type { EnvoyListener, EnvoyResources } from "./envoy-json.ts";
import { envoyResources } from "./envoy-resources.ts";
import type { ProxySettings } from "./proxy-settings.ts";

const SETTINGS: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
};

const application = (name: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: web}]}`;

const BASE = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}${application("api")}${application("web")}`;

const POLICY = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: all, namespace: shop}
spec: {rules: [{to: [{operation: {methods: [GET]}}]}]}`;

type Changes = Parameters<typeof snapshotOf>[1];

/** One mesh as it changes: what its pods are served, by the name of their application. */
function servedMesh(): (yaml: string, changes?: Changes) => ReadonlyMap<string, EnvoyResources> {
  const meshViews = new MeshViews();
  return (yaml, changes) => {
    const views = meshViews.build(snapshotOf(yaml, { addressing: "own", ...changes }));
    return new Map(
      [...views.values()].map((view) => [view.workload.owner, envoyResources(view, SETTINGS)]),
    );
  };
}

function inboundOf(resources: EnvoyResources | undefined): EnvoyListener {
  return resources?.listeners.find(({ name }) => name === "virtualInbound") ?? assert.fail();
}

/** `namespace/name` of the only pod of `api`. */
function podOfApi(): string {
  const pods = [...new MeshViews().build(snapshotOf(BASE, { addressing: "own" })).keys()];
  return pods.find((pod) => pod.includes("api")) ?? assert.fail(pods.join());
}

test("an endpoint that goes changes endpoints alone: all else that is heavy stays the same object", () => {
  const serve = servedMesh();
  const before = serve(BASE).get("web") ?? assert.fail();
  const after = serve(BASE, { notReady: [podOfApi()] }).get("web") ?? assert.fail();
  assert.notDeepEqual(after.endpoints, before.endpoints);
  assert.equal(after.routes.length, before.routes.length);
  assert.ok(after.routes.length > 0);
  for (const [index, route] of after.routes.entries()) assert.equal(route, before.routes[index]);
  assert.equal(inboundOf(after), inboundOf(before));
});

test("pods whose callers are taken alike are served one listener, before and after a change of policies", () => {
  const serve = servedMesh();
  for (const yaml of [BASE, BASE + POLICY]) {
    const served = serve(yaml);
    assert.equal(inboundOf(served.get("api")), inboundOf(served.get("web")));
  }
});
