import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { feedWorkloadViews, type SnapshotFeed } from "./snapshot-feed.ts";

const MESH = `
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
`;
const DENIAL = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-all, namespace: shop}
spec: {action: DENY, rules: [{}]}
`;
const refusing = (path: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-path, namespace: shop}
spec: {action: DENY, rules: [{to: [{operation: {paths: ["${path}"]}}]}]}
`;

interface Fed extends SnapshotFeed {
  write(policies: string): void;
  /** What the only sidecar refuses, as JSON. */
  refused(): string;
}

function fed(): Fed {
  const resources = new WatchedValue(resourcesOf(MESH));
  const { workloads } = snapshotOf(MESH);
  const trust = { rootsPem: ["ROOT"], taintedAuthorities: [], crlsPem: [] };
  const feed = feedWorkloadViews({
    resources,
    running: new WatchedValue({ workloads, resources: [] }),
    trust: new WatchedValue(trust),
    remoteClusters: new WatchedValue([]),
    tokenKeys: new WatchedValue(new Map()),
  });
  return {
    ...feed,
    write: (policies) => resources.set(resourcesOf(MESH + policies)),
    refused: () => {
      const [view] = feed.views.current.values();
      assert.ok(view);
      return JSON.stringify(view.inbound.authorization.deny);
    },
  };
}

test("what is to be refused is in the views in the next turn", async () => {
  const { write, refused } = fed();
  assert.equal(refused(), "[]");
  write(DENIAL);
  await turn();
  assert.match(refused(), /deny-all/);
});

test("a burst of 1,000 changes comes to few sets of views, and the last change is in the last of them", async () => {
  const { views, write, refused } = fed();
  const sets: unknown[] = [];
  views.onChange((set) => sets.push(set));
  const startedAt = performance.now();
  for (let count = 1; count <= 1_000; count++) {
    write(refusing(`/${count}.`));
    await turn();
  }
  await eventually("the last change", () => refused().includes("/1000."));
  const tookMs = performance.now() - startedAt;
  assert.ok(sets.length <= 20 + tookMs / 50, `${sets.length} in ${tookMs.toFixed(0)} ms`);
});
