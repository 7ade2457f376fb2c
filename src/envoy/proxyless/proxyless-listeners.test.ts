import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../../test/kit/mesh-parts.ts";
import { MeshViews } from "../../policy/mesh-views.ts";
import { callersPlace } from "../routes/callers-routes.ts";
import { calledListeners } from "./proxyless-listeners.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}, {containerPort: 9090}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{name: grpc, port: 80, targetPort: 8080}, {name: tcp, port: 90, targetPort: 9090}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: lookalike, namespace: tenant}
spec:
  hosts: [HOST]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 80, name: grpc, protocol: GRPC}, {number: 90, name: grpc-more, protocol: GRPC}, {number: 100, name: grpc-own, protocol: GRPC}]
  endpoints: [{address: 192.0.2.1}]`;

/** Names that a program of `shop` may call, each with the routes that it is led by. */
function called(host: string): readonly (readonly [name: unknown, routes: string | undefined])[] {
  const views = new MeshViews().build(snapshotOf(MESH.replace("HOST", host)));
  const [view] = views.values();
  assert.ok(view);
  return calledListeners(view.outbound, callersPlace("shop")).map((listener) => [
    listener.name,
    /"routeConfigName":"([^"]*)"/.exec(JSON.stringify(listener))?.[1],
  ]);
}

const SERVICE = "outbound|80||api.shop.svc.cluster.local";
const OWN_NAMES = ["api.shop.svc.cluster.local", "api", "api.shop", "api.shop.svc"];

for (const host of ["api.shop", "api.shop.svc", "payments.example.com"]) {
  test(`a ServiceEntry of another namespace for ${host} takes no name of a service`, () => {
    const isOfService = OWN_NAMES.includes(host);
    const ports = isOfService ? [100] : [80, 90, 100];
    assert.deepEqual(called(host), [
      ...OWN_NAMES.map((name) => [`${name}:80`, SERVICE]),
      ...ports.map((port) => [`${host}:${port}`, `outbound|${port}||${host}`]),
    ]);
  });
}
