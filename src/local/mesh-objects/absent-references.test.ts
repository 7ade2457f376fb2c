import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../api-server/kinds/kubernetes-object.ts";
import { absentReferences } from "./absent-references.ts";

const CASES: readonly (readonly [what: string, pod: JsonObject, absent: readonly string[]])[] = [
  [
    "a volume of a ConfigMap",
    { volumes: [{ name: "v", configMap: { name: "rules" } }] },
    ["configMap rules"],
  ],
  [
    "a volume of a Secret",
    { volumes: [{ name: "v", secret: { secretName: "key" } }] },
    ["secret key"],
  ],
  [
    "an optional one",
    { volumes: [{ name: "v", configMap: { name: "rules", optional: true } }] },
    [],
  ],
  ["one that is there", { volumes: [{ name: "v", configMap: { name: "here" } }] }, []],
  [
    "a projected volume",
    {
      volumes: [
        {
          name: "v",
          projected: { sources: [{ secret: { name: "key" } }, { configMap: { name: "rules" } }] },
        },
      ],
    },
    ["configMap rules", "secret key"],
  ],
  [
    "variables, each named once",
    {
      containers: [
        { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "key", key: "a" } } }] },
        { envFrom: [{ secretRef: { name: "key" } }, { configMapRef: { name: "rules" } }] },
      ],
    },
    ["configMap rules", "secret key"],
  ],
  [
    "of an init container",
    { initContainers: [{ envFrom: [{ configMapRef: { name: "rules" } }] }] },
    ["configMap rules"],
  ],
  ["nothing", {}, []],
];

for (const [what, pod, absent] of CASES) {
  test(`absent: ${what}`, () => {
    const object = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "api", namespace: "shop" },
      spec: { template: { spec: pod } },
    };
    const found = absentReferences(object, (_plural, name) => name === "here");
    assert.deepEqual([...found].sort(), absent);
  });
}
