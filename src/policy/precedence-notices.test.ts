import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { meshNotices } from "./mesh-notices.ts";
import { planWorkloads } from "./plan-workloads.ts";

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart, tier: back}}
  template:
    metadata: {labels: {app: cart, tier: back}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;

/** @param meta name, and what else there is */
const policy = (meta: string, selector: string, rest = "mtls: {mode: STRICT}"): string => `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ${meta}}
spec: {${selector === "" ? "" : `selector: {matchLabels: {${selector}}}, `}${rest}}
`;

function noticesOn(yaml: string): string[] {
  const resources = resourcesOf(MESH + yaml);
  const place = () => ({ address: "127.0.0.1", port: 1 });
  const workloads = planWorkloads(resources, { place, uid: (key) => key });
  return meshNotices(resources, workloads).map(
    ({ source, message }) => `${source.line} ${message}`,
  );
}

const YESTERDAY = 'creationTimestamp: "2026-01-01T00:00:00Z"';
const TODAY = 'creationTimestamp: "2026-01-02T00:00:00Z"';
const rows: [what: string, yaml: string, notices: readonly string[]][] = [
  [
    "PA-6 two of a namespace: the older counts",
    policy(`a, namespace: shop, ${TODAY}`, "") + policy(`b, namespace: shop, ${YESTERDAY}`, ""),
    [
      "14 PeerAuthentication shop/a is not obeyed: PeerAuthentication shop/b (mesh.yaml:19) counts instead, being older (PA-6); make them one",
    ],
  ],
  [
    "PA-6 two of the mesh, which were never applied: the first by name counts",
    policy("b, namespace: istio-system", "") + policy("a, namespace: istio-system", ""),
    [
      "14 PeerAuthentication istio-system/b is not obeyed: PeerAuthentication istio-system/a (mesh.yaml:19) counts instead, being the first by name of the same age (PA-6); make them one",
    ],
  ],
  [
    "PA-7, PA-8 two that select one workload",
    policy("a, namespace: shop", "app: cart") +
      policy("b, namespace: shop", "tier: back", "portLevelMtls: {8080: {mode: DISABLE}}"),
    [
      "19 PeerAuthentication shop/b is not obeyed on the workloads that both select, its portLevelMtls neither (PA-8): PeerAuthentication shop/a (mesh.yaml:14) counts instead, being the first by name of the same age (PA-7); make them one",
    ],
  ],
  [
    "PA-6 three of a namespace: each of the two that do not count",
    policy("a, namespace: shop", "") +
      policy("b, namespace: shop", "") +
      policy("c, namespace: shop", ""),
    ["19 PeerAuthentication shop/b", "24 PeerAuthentication shop/c"].map(
      (passedOver) =>
        `${passedOver} is not obeyed: PeerAuthentication shop/a (mesh.yaml:14) counts instead, being the first by name of the same age (PA-6); make them one`,
    ),
  ],
  [
    "one of each level is in order",
    policy("a, namespace: istio-system", "") +
      policy("a, namespace: shop", "") +
      policy("b, namespace: shop", "app: cart"),
    [],
  ],
];
for (const [what, yaml, notices] of rows) {
  test(what, () => assert.deepEqual(noticesOn(yaml), notices));
}

test("PA-6 a level counts also where no workload is", () => {
  const empty = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n";
  const two = policy("a, namespace: empty", "") + policy("b, namespace: empty", "");
  assert.match(noticesOn(empty + two).join(), /^23 PeerAuthentication empty\/b is not obeyed: /);
});
