/** What Envoy would refuse, and all else on the same port with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedMesh } from "../../../test/kit/planned-mesh.ts";
import { buildWorkloadView } from "../../policy/build-workload-view.ts";
import type { EnvoyListener } from "../envoy-json.ts";
import { envoyResources } from "../envoy-resources.ts";

const WEB = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
`;

function serviceEntry(name: string, port: string, addresses: string): string {
  return `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: [${name}.example.com]
  addresses: ${addresses}
  ports: [{${port}, name: main}]
  resolution: STATIC
  endpoints: [{address: 203.0.113.7}]
`;
}

/** Of a pod with a network of its own. */
function listenersOfWeb(...entries: readonly string[]): readonly EnvoyListener[] {
  const { snapshot, workload } = plannedMesh(WEB + entries.join(""));
  const view = buildWorkloadView(snapshot, workload("shop/web"));
  const interception = {
    unknownDestinations: "ALLOW_ANY",
    undeclaredPorts: { mutualTls: { mode: "PERMISSIVE", origin: "default" }, ports: [] },
  } as const;
  const capture = { inboundPort: 15_006, outboundPort: 15_001 };
  return envoyResources({ ...view, interception }, { version: "1.40.0", capture }).listeners;
}

function namesOf(listeners: readonly EnvoyListener[]): readonly string[] {
  return listeners.map(({ name = "" }) => name);
}

test("one range in two ServiceEntries is led to whoever has it first", () => {
  const listeners = listenersOfWeb(
    serviceEntry("first", "number: 9000, protocol: TCP", "[10.0.0.0/8, 192.0.2.0/24]"),
    serviceEntry("second", "number: 9000, protocol: TCP", "[10.1.0.0/8]"),
    serviceEntry("third", "number: 9000, protocol: TCP", "[192.0.2.1/24, 198.51.100.0/24]"),
  );
  const chains = listeners.find(({ name }) => name === "0.0.0.0_9000")?.filterChains ?? [];
  const ranges = chains.map(({ filterChainMatch }) =>
    filterChainMatch?.prefixRanges?.map(({ addressPrefix }) => addressPrefix).join(),
  );
  assert.deepEqual(ranges, ["10.0.0.0,192.0.2.0", "198.51.100.0"]);
});

test("a service on the port where callers are taken has no listener at the same address", () => {
  const listeners = listenersOfWeb(
    serviceEntry("taken", "number: 15006, protocol: HTTP", "[]"),
    serviceEntry("free", "number: 15007, protocol: HTTP", "[]"),
  );
  const names = namesOf(listeners);
  assert.ok(names.includes("virtualInbound") && names.includes("0.0.0.0_15007"), names.join());
  assert.ok(!names.includes("0.0.0.0_15006"), names.join());
});
