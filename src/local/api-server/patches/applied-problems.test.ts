import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKindOf } from "../../../../test/kit/kubernetes/object-paths.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { StatusError } from "../objects/status-error.ts";
import { applyObject } from "./apply-object.ts";

const deployment = (metadata: JsonObject, spec: JsonObject): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "c", ...metadata },
  spec: { template: { spec } },
});
const entry = (ports: JsonObject[]): KubernetesObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name: "c" },
  spec: { ports },
});
const pair = (name: string): JsonObject => ({ name, image: "a" });

/** A kube-apiserver says the same of them, and calls it its own fault (500). */
const cases: [applied: KubernetesObject, problems: string][] = [
  [
    deployment({}, { containers: [pair("a"), pair("a")] }),
    '(/c; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]',
  ],
  [
    deployment({ finalizers: ["a/b", "a/b"] }, { containers: { name: "a" }, volumes: ["a"] }),
    '(/c; apps/v1, Kind=Deployment): errors:\n  .metadata.finalizers: duplicate entries for key [="a/b"]\n  .spec.template.spec.containers: expected list, got map\n  .spec.template.spec.volumes: element 0: associative list with keys may not have non-map elements',
  ],
  [
    deployment({ finalizers: [{}] }, { containers: [{ name: "a", resources: { claims: [7] } }] }),
    '(/c; apps/v1, Kind=Deployment): errors:\n  .metadata.finalizers: element 0: associative list without keys has an element that\'s no text, number or flag\n  .spec.template.spec.containers[name="a"].resources.claims: element 0: associative list with keys may not have non-map elements',
  ],
  [
    entry([{ number: 80 }]),
    '(/c; networking.istio.io/v1, Kind=ServiceEntry): .spec.ports: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
  ],
  [
    { ...entry([]), spec: "text" },
    "(/c; networking.istio.io/v1, Kind=ServiceEntry): .spec: expected map, got string",
  ],
];
for (const [applied, problems] of cases) {
  test(problems, () => {
    const { apiVersion } = applied;
    const change = { manager: "a", apiVersion, time: "2026-01-01T00:00:00Z", force: true };
    assert.throws(
      () => applyObject(servedKindOf(applied), undefined, applied, change),
      (error: unknown) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.status, 400);
        assert.equal(error.message, `failed to create typed patch object ${problems}`);
        return true;
      },
    );
  });
}
