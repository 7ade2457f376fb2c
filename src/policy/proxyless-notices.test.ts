import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedMesh } from "../../test/kit/planned-mesh.ts";
import { proxylessNotices } from "./proxyless-notices.ts";

const MESH = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: parrot, namespace: shop}
spec:
  selector: {matchLabels: {app: parrot}}
  template:
    metadata: {labels: {app: parrot, sidecar.istio.io/inject: "true"}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 9000}, {containerPort: 9001}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: parrot, namespace: shop}
spec:
  selector: {app: parrot}
  ports: [{name: grpc, port: 80, targetPort: 9000}, {name: http, port: 81, targetPort: 9001}]
---`;
const caller = (inject: boolean, templates = "grpc-agent"): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: shop}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata:
      labels: {app: caller, sidecar.istio.io/inject: "${inject}"}
      annotations: {inject.istio.io/templates: ${templates}}
    spec: {containers: [{name: a, image: x}]}
---`;
const mode = (written: string): string => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: ${written}}}
---`;
const rule = (written: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: parrot, namespace: shop}
spec: {host: parrot, trafficPolicy: {tls: {mode: ${written}}}}
---`;
const UNREACHED =
  /^gRPC programs of Deployment shop\/caller cannot call shop\/parrot:80 by xds: under PERMISSIVE/;

for (const [what, yaml, notice] of [
  ["nobody asks for it", caller(true, "sidecar"), undefined],
  ["a callee that nothing makes STRICT", caller(true), UNREACHED],
  ["a callee that is STRICT", caller(true) + mode("STRICT"), undefined],
  ["a callee in plaintext", caller(true) + mode("DISABLE"), undefined],
  ["a rule that disables TLS", caller(true) + rule("DISABLE"), undefined],
  ["a rule that demands it", caller(true) + rule("ISTIO_MUTUAL"), UNREACHED],
  ["a pod without proxy", caller(false), /its pods have no proxy that could serve it; label them/],
] as const)
  test(`INJ-15, ${what}: ${notice === undefined ? "nothing is said" : "a notice"}`, () => {
    const { resources, workloads } = plannedMesh(MESH + yaml);
    const [found, ...more] = proxylessNotices(resources, workloads);
    assert.deepEqual(more, []);
    if (notice === undefined) assert.equal(found, undefined);
    else assert.match(found?.message ?? "", notice);
  });
