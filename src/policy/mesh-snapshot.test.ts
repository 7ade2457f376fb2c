import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { isBehind, ofKind } from "./mesh-snapshot.ts";

const service = (selector: string): string => `---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {${selector}ports: [{port: 80}]}
`;
const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart, v: v1}}
    spec: {containers: [{name: a, image: x}]}
`;
const labels = { app: "cart", v: "v1" };

/** What a selector of a Service means: https://kubernetes.io/docs/concepts/services-networking/service/ */
const cases: [what: string, selector: string, namespace: string, isBehind: boolean][] = [
  ["a selector of one label of two", "selector: {app: cart}, ", "shop", true],
  ["a selector of both", "selector: {app: cart, v: v1}, ", "shop", true],
  ["a selector that asks for more", "selector: {app: cart, x: z}, ", "shop", false],
  ["a selector of another namespace", "selector: {app: cart}, ", "stock", false],
  ["an empty selector", "selector: {}, ", "shop", false],
  ["no selector", "", "shop", false],
];
for (const [what, selector, namespace, expected] of cases) {
  test(`${what} ${expected ? "selects" : "does not select"} the pod`, () => {
    const [written] = ofKind(resourcesOf(service(selector)), "Service");
    assert.ok(written);
    assert.equal(isBehind(written, { namespace, labels }), expected);
  });
}

test("a Service without a selector leads to nobody of its namespace", () => {
  const snapshot = snapshotOf(DEPLOYMENT + service(""));
  assert.equal(snapshot.workloads.length, 1);
  assert.deepEqual(
    snapshot.services.map(({ workloads }) => workloads),
    [[]],
  );
});
