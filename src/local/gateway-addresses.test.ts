import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedMesh } from "../../test/kit/planned-mesh.ts";
import { gatewayAddresses, withOutcomes } from "./gateway-addresses.ts";
import { preferredGatewayPorts } from "./preferred-ports.ts";

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: edge}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata:
      labels: {istio: ingressgateway, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example.com, "*.shop.example.com"]
    tls: {mode: SIMPLE, credentialName: missing}
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [shop.example.com]
    tls: {httpsRedirect: true}
`;

test("services' ports are what a gateway would rather have", () => {
  const { resources } = plannedMesh(MESH);
  assert.deepEqual(
    [...preferredGatewayPorts(resources)],
    [
      ["edge/front-0/listen/8080", 80],
      ["edge/front-0/listen/8443", 443],
    ],
  );
});

test("where each host is reached is told with what is wrong with it", () => {
  const { snapshot, workload } = plannedMesh(MESH);
  const found = gatewayAddresses(workload("edge/front"), { snapshot, published: [] });
  assert.deepEqual(
    found.map(({ hosts, speaks, port, listen }) => [hosts, speaks, port, listen.port]),
    [
      [["shop.example.com"], "http", 80, 8080],
      [["shop.example.com", "*.shop.example.com"], "https", 443, 8443],
    ],
  );
  assert.equal(found[0]?.problem, undefined);
  assert.match(found[1]?.problem ?? "", /missing/);
});

test("a pod with a network of its own is reached by what the host offers of its service", () => {
  const { snapshot, workload } = plannedMesh(MESH);
  const addresses = { ipv4: "10.0.0.2", ipv6: "fd00::2" };
  const own = { ...workload("edge/front"), addresses };
  const listen = { address: "127.0.0.1", port: 20443 };
  const meshSnapshot = {
    ...snapshot,
    workloads: [own],
    services: snapshot.services.map((one) => ({ ...one, workloads: [own] })),
    servicesByNamespace: new Map([
      ["edge", snapshot.services.map((one) => ({ ...one, workloads: [own] }))],
    ]),
  };
  const port = { service: "edge/front", port: 443, listen };
  const problem = "listen EADDRINUSE: address already in use 127.0.0.1:20443";
  for (const outcome of [port, { ...port, problem }]) {
    const published = withOutcomes([port], [outcome]);
    const [found, ...others] = gatewayAddresses(own, { snapshot: meshSnapshot, published });
    assert.deepEqual(others, []);
    assert.deepEqual(found?.listen, listen);
    assert.equal(found?.notOffered, outcome === port ? undefined : problem);
  }
  const otherwise = { address: "127.0.0.1", port: 20444 };
  const published = withOutcomes([{ ...port, otherwise }], [{ ...port, listen: otherwise }]);
  const [elsewhere] = gatewayAddresses(own, { snapshot: meshSnapshot, published });
  assert.deepEqual([elsewhere?.listen, elsewhere?.notOffered], [otherwise, undefined]);
});
