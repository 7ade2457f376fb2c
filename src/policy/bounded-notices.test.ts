import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import type { Notice } from "../api/resource.ts";
import { meshNotices } from "./mesh-notices.ts";
import { planWorkloads } from "./plan-workloads.ts";

const POD = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec: {containers: [{name: cart, image: cart, command: [cart], ports: [{containerPort: 80}]}]}
`;

function many(count: number, make: (at: number) => string): string {
  return `[${Array.from({ length: count }, (_, at) => make(at))}]`;
}

function allow(principals: string): string {
  return `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: a, namespace: shop}
spec: {rules: [{from: [{source: {principals: ${principals}}}]}]}
`;
}

function admit(peers: string): string {
  return `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: narrow, namespace: shop}
spec: {podSelector: {}, ingress: [{from: ${peers}}]}
`;
}

function noticesOn(yaml: string): readonly Notice[] {
  const resources = resourcesOf(POD + yaml);
  const workloads = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: 1 }),
    uid: (key) => key,
  });
  return meshNotices(resources, workloads);
}

test("of 5,000 names of nobody in one policy a hundred are told", () => {
  const notices = noticesOn(allow(many(5_000, (at) => `cluster.local/ns/shop/sa/s${at}`)));
  assert.equal(notices.length, 101);
  assert.ok(
    notices.some(({ message }) => message === "and at least 900 more such notes on this resource"),
  );
});

test("of 500 entries that mean nobody a hundred are told, and that there are 400 more", () => {
  const notices = noticesOn(
    admit(many(500, (at) => `{podSelector: {matchLabels: {app: a${at}}}}`)),
  );
  assert.equal(notices.length, 101);
  assert.ok(notices.some(({ message }) => message === "and 400 more such notes on this resource"));
});

test("of a selector with 500 labels a few are named", () => {
  const labels = Array.from({ length: 500 }, (_, at) => `a${at}: b`);
  const [notice] = noticesOn(
    `${allow("[a]")}  `.replace("spec: {", `spec: {selector: {matchLabels: {${labels}}}, `),
  );
  assert.match(notice?.message ?? "", /^a0: b, .*, a4: b and 495 more matches no workload/);
});

test("where comparing would take minutes, it ends, and says so", () => {
  const notices = noticesOn(
    allow(many(5_000, (at) => `cluster.local/ns/shop/sa/s${at}`)) +
      admit(many(5_000, () => "{podSelector: {matchLabels: {app: cart}}}")),
  );
  assert.ok(notices.some(({ message }) => message.includes("are told in part")));
});
