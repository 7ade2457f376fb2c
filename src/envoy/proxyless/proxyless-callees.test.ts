/** How a gRPC program that is its own proxy speaks to its callees, by what their PeerAuthentications take. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedMesh } from "../../../test/kit/planned-mesh.ts";
import { buildWorkloadView } from "../../policy/build-workload-view.ts";
import { buildSnapshot } from "../../policy/mesh-snapshot.ts";
import { planWorkloads } from "../../policy/plan-workloads.ts";
import type { Destination } from "../../policy/workload-view.ts";
import { calledEndpoints, transportOf } from "./proxyless-callees.ts";

function deployment(name: string, more: { labels?: string; annotations?: string } = {}): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata:
      labels: {app: ${name}, of: parrots, ${more.labels ?? 'sidecar.istio.io/inject: "true"'}}
      annotations: {${more.annotations ?? ""}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 9000}, {containerPort: 9001}]}]}
---`;
}

const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: parrots, namespace: shop}
spec: {selector: {of: parrots}, ports: [{name: grpc, port: 80, targetPort: 9000}]}
---`;

function peerAuthentication(name: string, spec: string): string {
  return `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ${name}, namespace: shop}
spec: {${spec}}
---`;
}

const of = (app: string): string => `selector: {matchLabels: {app: ${app}}}`;
const STRICT = peerAuthentication("default", "mtls: {mode: STRICT}");
const LAX = peerAuthentication("lax", `${of("two")}, mtls: {mode: PERMISSIVE}`);
const rule = (mode: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: parrots, namespace: shop}
spec: {host: parrots, trafficPolicy: {tls: {mode: ${mode}}}}
---`;

/** As a pod of `caller` knows the service. */
function parrotsFor(caller: "grpc-agent" | "sidecar", yaml: string): Destination {
  const asking = deployment("caller", {
    annotations: `inject.istio.io/templates: ${caller}`,
    labels: 'sidecar.istio.io/inject: "true", of: callers',
  }).replace("of: parrots, ", "");
  const { resources } = plannedMesh(SERVICE + asking + yaml);
  let port = 20_000;
  const place = () => ({ address: "127.0.0.1", port: ++port });
  const ready = planWorkloads(resources, { place, uid: (key) => key }).map((one) => ({
    ...one,
    ready: true,
  }));
  const found = ready.find(({ owner }) => owner === "caller");
  assert.ok(found);
  const view = buildWorkloadView(
    buildSnapshot({ resources, workloads: ready, rootsPem: [] }),
    found,
  );
  const [parrots] = view.outbound.destinations;
  assert.ok(parrots);
  return parrots;
}

const TWO = deployment("one") + deployment("two");
const WITHOUT = deployment("three", { labels: 'sidecar.istio.io/inject: "false"' });
const PORT_LAX = peerAuthentication(
  "port",
  `${of("one")}, mtls: {mode: STRICT}, portLevelMtls: {9000: {mode: PERMISSIVE}}`,
);
const OTHER_PORT_LAX = PORT_LAX.replace("9000", "9001");

for (const [what, yaml, transport, called] of [
  ["PERMISSIVE, which nobody changed", TWO, "plaintext", ["one-0", "two-0"]],
  ["STRICT", TWO + STRICT, "mesh-tls", ["one-0", "two-0"]],
  ["one STRICT, one PERMISSIVE", TWO + STRICT + LAX, "mesh-tls", ["one-0"]],
  [
    "one PERMISSIVE, one without a proxy",
    deployment("one") + WITHOUT,
    "plaintext",
    ["one-0", "three-0"],
  ],
  ["one STRICT, one without a proxy", deployment("one") + WITHOUT + STRICT, "mesh-tls", ["one-0"]],
  ["a port that is PERMISSIVE", deployment("one") + PORT_LAX, "plaintext", ["one-0"]],
  ["another port that is", deployment("one") + OTHER_PORT_LAX, "mesh-tls", ["one-0"]],
  [
    "PERMISSIVE, and a rule that wants TLS",
    TWO + rule("ISTIO_MUTUAL"),
    "mesh-tls",
    ["one-0", "two-0"],
  ],
  [
    "STRICT, and a rule that disables TLS",
    TWO + STRICT + rule("DISABLE"),
    "plaintext",
    ["one-0", "two-0"],
  ],
  ["nobody", "", "mesh-tls", []],
] as const)
  test(`INJ-15 callees are ${what}: ${transport}`, () => {
    const destination = parrotsFor("grpc-agent", yaml);
    assert.equal(transportOf(destination), transport);
    assert.deepEqual(
      calledEndpoints(destination).map(({ workload }) => workload),
      called,
    );
  });

test("other pods of the namespace are told nothing of it, and speak mutual TLS", () => {
  const { endpoints } = parrotsFor("sidecar", TWO);
  assert.deepEqual(
    endpoints.map(({ mutualTls, permissive }) => [mutualTls, permissive]),
    [
      [true, undefined],
      [true, undefined],
    ],
  );
});
