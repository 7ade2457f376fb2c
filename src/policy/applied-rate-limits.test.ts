import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { appliedRateLimits, rateLimitId } from "./applied-rate-limits.ts";
import { buildSnapshot } from "./mesh-snapshot.ts";

const { resources, issues } = parseResources(
  [
    limits("istio-system", "mesh", "{}", "2020-01-01T00:00:00Z"),
    limits("istio-system", "some", "{matchLabels: {tier: edge}}", "2019-01-01T00:00:00Z"),
    limits("shop", "younger", "{}", "2022-01-01T00:00:00Z"),
    limits("shop", "older", "{matchLabels: {app: api}}", "2021-01-01T00:00:00Z"),
    limits("shop", "others", "{matchLabels: {app: web}}", "2021-01-01T00:00:00Z"),
    limits("bank", "elsewhere", "{}", "2021-01-01T00:00:00Z"),
  ].join("---\n"),
  "limits.yaml",
);

function limits(namespace: string, name: string, selector: string, createdAt: string): string {
  return `apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "${createdAt}"}
spec:
  selector: ${selector}
  limits:
    - {name: a, requests: 1, per: 1s}
    - {name: b, connections: 1, per: 1s}
`;
}

test("limits of the root namespace, then of the workload's own, the oldest first, each in its order", () => {
  assert.deepEqual(issues, []);
  const snapshot = buildSnapshot({ resources, workloads: [], rootsPem: [] });
  const applied = appliedRateLimits(snapshot, { namespace: "shop", labels: { app: "api" } });
  assert.deepEqual(applied.map(rateLimitId), [
    ...["istio-system/mesh/a", "istio-system/mesh/b"],
    ...["shop/older/a", "shop/older/b"],
    ...["shop/younger/a", "shop/younger/b"],
  ]);
  const [first] = applied;
  assert.deepEqual(first?.ref, { kind: "RateLimit", namespace: "istio-system", name: "mesh" });
  assert.deepEqual(first?.source, { file: "limits.yaml", line: 7 });
});
