import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedMesh } from "../../test/kit/planned-mesh.ts";
import { ofKind } from "./mesh-snapshot.ts";

const gateway = (more = "", metadata = "") => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop${metadata}}
spec:
  gatewayClassName: istio
  ${more}
  listeners:
  - {name: web, port: 80, protocol: HTTP}
  - {name: api, port: 80, protocol: HTTP, hostname: api.example.com}
  - {name: raw, port: 9000, protocol: TCP}
`;

test("a Deployment, a Service and a ServiceAccount are made, and a gateway runs as it", () => {
  const mesh = plannedMesh(gateway("infrastructure: {labels: {team: a}}"));
  const workload = mesh.workload("shop/edge-istio");
  assert.equal(workload.gateway, true);
  assert.equal(workload.serviceAccount, "edge-istio");
  assert.deepEqual(workload.labels, {
    team: "a",
    "gateway.networking.k8s.io/gateway-name": "edge",
    "gateway.networking.k8s.io/gateway-class-name": "istio",
    "gateway.istio.io/managed": "istio.io-gateway-controller",
  });
  const [service] = ofKind(mesh.resources, "Service");
  assert.deepEqual(
    service?.ports.map(({ name, port }) => [name, port]),
    [
      ["http-80", 80],
      ["tcp-9000", 9000],
    ],
  );
  assert.deepEqual(
    workload.ports.map(({ containerPort }) => containerPort),
    [80, 9000],
  );
});

test("it runs whatever the namespace says of injection, as in Istio", () => {
  const disabled = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: disabled}}
---`;
  assert.equal(plannedMesh(disabled + gateway()).workload("shop/edge-istio").gateway, true);
});

test("nothing is made for another's class, for a gateway that is there, nor over what is written", () => {
  const foreign = gateway().replace("gatewayClassName: istio", "gatewayClassName: nginx");
  assert.equal(plannedMesh(foreign).workloads.length, 0);
  const there = gateway("addresses: [{type: Hostname, value: own.shop.svc.cluster.local}]");
  assert.equal(plannedMesh(there).workloads.length, 0);
  const written = `
apiVersion: v1
kind: Service
metadata: {name: edge-istio, namespace: shop}
spec: {selector: {a: b}, ports: [{port: 1}]}
---`;
  const services = ofKind(plannedMesh(written + gateway()).resources, "Service");
  assert.deepEqual(
    services.map(({ ports }) => ports.map(({ port }) => port)),
    [[1]],
  );
});

test("a GatewayClass of ours counts, and one of another controller takes its name away", () => {
  const classOf = (name: string, controller: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ${name}}
spec: {controllerName: ${controller}}
---`;
  const own = gateway().replace("gatewayClassName: istio", "gatewayClassName: edge");
  const made = plannedMesh(classOf("edge", "istio.io/gateway-controller") + own);
  assert.equal(made.workloads.length, 1);
  const taken = plannedMesh(classOf("istio", "example.com/other") + gateway());
  assert.equal(taken.workloads.length, 0);
});

test("its name can be another", () => {
  const named = gateway("", ", annotations: {gateway.istio.io/name-override: front}");
  assert.equal(plannedMesh(named).workload("shop/front").serviceAccount, "front");
});
