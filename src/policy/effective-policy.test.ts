import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { effectiveAuthorization } from "./effective-policy.ts";

const policy = (name: string, inNamespace: string, spec: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${inNamespace}}
spec: ${spec}`;

const selecting = "{selector: {matchLabels: {app: api}}}";
const applying: [rule: string, yaml: string, allow: string[]][] = [
  ["AP-10 its own namespace", policy("p", "shop", "{}"), ["shop/p"]],
  ["AP-10 not another namespace", policy("p", "other", "{}"), []],
  ["AP-10 the root namespace", policy("p", "istio-system", "{}"), ["istio-system/p"]],
  [
    "AP-11 and QK-66: root with a selector",
    policy("p", "istio-system", selecting),
    ["istio-system/p"],
  ],
  [
    "AP-12 all labels of the selector",
    policy("p", "shop", "{selector: {matchLabels: {app: api, x: other}}}"),
    [],
  ],
  [
    "AP-14 targetRefs never apply to a sidecar",
    policy("p", "shop", "{targetRefs: [{group: '', kind: Service, name: api}]}"),
    [],
  ],
  [
    "AP-35 evaluation order is by id",
    policy("b", "shop", "{}") + policy("a", "shop", "{}") + policy("z", "istio-system", "{}"),
    ["istio-system/z", "shop/a", "shop/b"],
  ],
  [
    "AP-10 another root namespace",
    `${policy("p", "istio-system", "{}")}${policy("q", "top", "{}")}\n---\nrootNamespace: top\n`,
    ["top/q"],
  ],
];
for (const [rule, yaml, allow] of applying) {
  test(rule, () => {
    const snapshot = snapshotOf(yaml);
    const workload = { namespace: "shop", labels: { app: "api", v: "1" } };
    const effective = effectiveAuthorization(snapshot, workload);
    assert.deepEqual(
      effective.allow.map(({ ref }) => `${ref.namespace}/${ref.name}`),
      allow,
    );
    assert.deepEqual(effective.deny, []);
  });
}

test("policies are told apart by action, and keep where they were written", () => {
  const yaml =
    policy("never", "shop", "{action: DENY, rules: [{}]}") +
    policy("always", "shop", "{rules: [{}]}");
  const { deny, allow } = effectiveAuthorization(snapshotOf(yaml), {
    namespace: "shop",
    labels: {},
  });
  assert.deepEqual(
    [...deny, ...allow].map(({ ref, action, source }) => [ref.name, action, source.file]),
    [
      ["never", "DENY", "mesh.yaml"],
      ["always", "ALLOW", "mesh.yaml"],
    ],
  );
  assert.ok((allow[0]?.source.line ?? 0) > (deny[0]?.source.line ?? 0));
});

test("a policy of the root namespace applies once to a workload that lives there", () => {
  const { allow } = effectiveAuthorization(snapshotOf(policy("p", "istio-system", "{}")), {
    namespace: "istio-system",
    labels: {},
  });
  assert.equal(allow.length, 1);
});
