import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedMesh } from "../../test/kit/planned-mesh.ts";
import { gatewayNotices } from "./gateway-notices.ts";

const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---`;
const pod = (name: string, labels: string, template: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: edge}
spec:
  selector: {matchLabels: {${labels}}}
  template:
    metadata: {labels: {${labels}, sidecar.istio.io/inject: "true"}${template}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---`;
const AS_GATEWAY = ", annotations: {inject.istio.io/templates: gateway}";

const cases: readonly (readonly [what: string, yaml: string, notice: RegExp | undefined])[] = [
  ["served", pod("a", "istio: ingressgateway", AS_GATEWAY), undefined],
  [
    "no gateway at all",
    "",
    /^Gateway edge\/front is served by nobody: no gateway runs in this mesh; add/,
  ],
  [
    "other labels",
    pod("a", "istio: other", AS_GATEWAY),
    /no gateway has these labels; there are edge\/a-0$/,
  ],
  [
    "a sidecar has the labels",
    pod("a", "istio: ingressgateway", ""),
    /edge\/a-0 has the labels, and is no gateway; annotate its pods/,
  ],
];
for (const [what, yaml, notice] of cases)
  test(`${what}: ${notice === undefined ? "nothing is said" : "a notice"}`, () => {
    const { resources, workloads } = plannedMesh(GATEWAY + yaml);
    const [found, ...more] = gatewayNotices(resources, workloads);
    assert.deepEqual(more, []);
    if (notice === undefined) assert.equal(found, undefined);
    else assert.match(found?.message ?? "", notice);
  });
