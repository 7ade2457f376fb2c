import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";

const CALLER = `
---
apiVersion: v1
kind: Namespace
metadata: {name: tenant}
---
apiVersion: v1
kind: Service
metadata: {name: trap, namespace: tenant}
spec: {selector: {app: trap}, ports: [{name: http, port: 80}]}`;

const config = (settings: string): string => `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec: {meshConfig: {${settings}}}`;

const hijack = (exportTo = ""): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hijack, namespace: tenant}
spec: {${exportTo}hosts: [api.shop.svc.cluster.local], http: [{route: [{destination: {host: trap}}]}]}`;

const detour = (exportTo = ""): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: plain, namespace: shop}
spec: {${exportTo}host: api, trafficPolicy: {tls: {mode: DISABLE}}}`;

/** Whether the resource counts for a gateway of another namespace, or a sidecar. */
const cases: [what: string, settings: string, hijacks: boolean, detours: boolean][] = [
  ["nothing is said", "trustDomain: a", true, true],
  [
    "all are for their own namespace",
    'defaultVirtualServiceExportTo: ["."], defaultDestinationRuleExportTo: ["."]',
    false,
    false,
  ],
  ["VirtualServices alone are", 'defaultVirtualServiceExportTo: ["*", "."]', false, true],
  ["DestinationRules alone are", 'defaultDestinationRuleExportTo: ["."]', true, false],
  ["what is said is no word for it", "defaultVirtualServiceExportTo: [shop]", false, true],
  ["all are for all", 'defaultVirtualServiceExportTo: ["*"]', true, true],
];
for (const [what, settings, hijacks, detours] of cases) {
  test(`where ${what}, routes of a stranger ${hijacks ? "count" : "do not count"}, and rules ${detours ? "do" : "do not"}`, () => {
    const snapshot = snapshotOf(openGateway + CALLER + config(settings) + hijack() + detour());
    const sidecar = buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/api-0"));
    assert.equal((sidecar.outbound.virtualHosts ?? []).length > 0, hijacks);
    const gateway = buildWorkloadView(snapshot, workloadNamed(snapshot, "istio-ingress/ingress-0"));
    const api = gateway.outbound.destinations.find(({ serviceName }) => serviceName === "api");
    assert.equal(api?.clientTls?.mode === "DISABLE", detours);
  });
}

test("who says for whom it is has the last word", () => {
  const settings = 'defaultVirtualServiceExportTo: ["."], defaultDestinationRuleExportTo: ["."]';
  const forAll = 'exportTo: ["*"], ';
  const snapshot = snapshotOf(
    openGateway + CALLER + config(settings) + hijack(forAll) + detour(forAll),
  );
  const { outbound } = buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/api-0"));
  assert.equal(outbound.virtualHosts?.length, 1);
  const own = buildWorkloadView(snapshot, workloadNamed(snapshot, "istio-ingress/ingress-0"));
  const api = own.outbound.destinations.find(({ serviceName }) => serviceName === "api");
  assert.equal(api?.clientTls?.mode, "DISABLE");
});
