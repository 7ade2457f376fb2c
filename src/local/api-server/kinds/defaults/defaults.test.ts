/** Objects with their defaults are as a real kube-apiserver has them (test/interop/kubernetes/record.ts). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { comparableObject } from "../../../../../test/kit/kubernetes/comparable-object.ts";
import { DEFAULT_OBJECTS } from "../../../../../test/kit/kubernetes/default-objects.ts";
import { servedKindOf } from "../../../../../test/kit/kubernetes/object-paths.ts";
import { objectAt } from "../json-access.ts";
import type { JsonObject, KubernetesObject } from "../kubernetes-object.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/defaults.json", "utf8"),
) as KubernetesObject[];

/** What makers of objects find out, and defaults do not: the status, addresses, numbers, what ties a Job to its Pods. */
function withoutFindings(object: KubernetesObject): JsonObject {
  const { status: _, spec, metadata, ...rest } = comparableObject(object);
  const { generation: __, namespace: ___, ...own } = metadata;
  if (object.kind === "Namespace" || spec === undefined) return { ...rest, metadata: own };
  const { selector, template, ...more } = withoutAdmitted(object.kind, spec as JsonObject);
  const isJob = object.kind === "Job";
  return {
    ...rest,
    metadata: isJob ? { ...own, labels: withoutUids(objectAt(own, "labels")) } : own,
    spec: {
      ...more,
      ...(!isJob && selector !== undefined && { selector }),
      ...(template !== undefined && { template: isJob ? ofJob(template as JsonObject) : template }),
    },
  };
}

/** What admission plugins write into Pods, and ports that are given out. */
const ADMITTED = ["healthCheckNodePort", "preemptionPolicy", "priority"];

function withoutAdmitted(kind: string, spec: JsonObject): JsonObject {
  const gone = kind === "Pod" ? [...ADMITTED, "tolerations"] : ADMITTED;
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !gone.includes(name)));
}

function ofJob(template: JsonObject): JsonObject {
  const labels = withoutUids(objectAt(template, "metadata", "labels"));
  return { ...template, metadata: { ...objectAt(template, "metadata"), labels } };
}

function withoutUids(labels: JsonObject): JsonObject {
  const kept = Object.entries(labels).filter(([key]) => !/controller-uid|job-name/.test(key));
  return Object.fromEntries(kept);
}

describe("defaults are as a kube-apiserver's", () => {
  test("all are recorded", () => assert.equal(recorded.length, DEFAULT_OBJECTS.length));
  for (const [index, object] of DEFAULT_OBJECTS.entries()) {
    test(`${object.kind} ${object.metadata.name}`, () => {
      const expected = recorded[index];
      assert.ok(expected !== undefined);
      const found = servedKindOf(object).withDefaults?.(object) ?? object;
      assert.deepEqual(withoutFindings(found), withoutFindings(expected));
    });
    test(`${object.kind} ${object.metadata.name} is defaulted once and for all`, () => {
      const { withDefaults = (one) => one } = servedKindOf(object);
      assert.deepEqual(withDefaults(withDefaults(object)), withDefaults(object));
    });
  }
});
