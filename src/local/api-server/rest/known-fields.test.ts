import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKind } from "../../../../test/kit/api-server-stage.ts";
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import { knownFields } from "./known-fields.ts";

const check = (kind: string, fields: JsonObject) => {
  const { group, versions } = servedKind(kind);
  const apiVersion = group === "" ? versions[0] : `${group}/${versions[0]}`;
  return knownFields(servedKind(kind), { apiVersion, kind, metadata: { name: "a" }, ...fields });
};
const containers = (container: JsonObject): JsonObject => ({
  spec: { template: { spec: { containers: [container] } } },
});

const mistyped: [what: string, kind: string, fields: JsonObject, told: string | undefined][] = [
  ["all is right", "ConfigMap", { data: { a: "b" }, immutable: true }, undefined],
  [
    "a number for text",
    "ConfigMap",
    { data: { a: 5 } },
    "cannot unmarshal number into Go struct field ConfigMap.data of type string",
  ],
  [
    "text for a map",
    "ConfigMap",
    { data: "a" },
    "cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string",
  ],
  [
    "a name that is a number",
    "ConfigMap",
    { metadata: { name: 5 } },
    "cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
  ],
  [
    "a label that is a flag",
    "PeerAuthentication",
    { metadata: { name: "a", labels: { a: true } } },
    "cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
  ],
  [
    "nothing is of every type",
    "ConfigMap",
    { data: null, metadata: { name: "a", labels: null } },
    undefined,
  ],
  [
    "deep in a list",
    "Deployment",
    containers({ name: "a", image: 5 }),
    "cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string",
  ],
  [
    "a part of a number",
    "Deployment",
    { spec: { replicas: 1.5 } },
    "cannot unmarshal number into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    "a port by name or number",
    "Service",
    { spec: { ports: [{ port: 1, targetPort: "http" }] } },
    undefined,
  ],
  [
    "a quantity",
    "Deployment",
    containers({ resources: { limits: { cpu: 1, memory: "1Gi" } } }),
    undefined,
  ],
  ["what a gate looks at", "PeerAuthentication", { spec: { mtls: { mode: 5 } } }, undefined],
];
for (const [what, kind, fields, told] of mistyped) {
  test(`types: ${what}`, () =>
    assert.equal(check(kind, fields).mistyped, told === undefined ? undefined : `json: ${told}`));
}

const unknown: [what: string, kind: string, fields: JsonObject, told: string[]][] = [
  ["none", "ConfigMap", { data: { any: "thing" } }, []],
  [
    "at the root, and in metadata",
    "ConfigMap",
    { dta: {}, metadata: { nme: "a" } },
    ["metadata.nme", "dta"],
  ],
  [
    "in items",
    "Deployment",
    containers({ name: "a", prts: [] }),
    ["spec.template.spec.containers[0].prts"],
  ],
  ["a user's keys", "Deployment", { spec: { selector: { matchLabels: { any: "thing" } } } }, []],
  ["in a kind of Istio", "PeerAuthentication", { spec: { mtls: { mod: "x" } } }, ["spec.mtls.mod"]],
  ["a status is the servers'", "PeerAuthentication", { status: { any: { thing: 1 } } }, []],
  ["where nothing is known", "RateLimit", { spec: { any: "thing" } }, []],
];
for (const [what, kind, fields, told] of unknown) {
  test(`unknown fields: ${what}`, () => {
    const { object, unknown: found } = check(kind, fields);
    assert.deepEqual(found, told);
    assert.deepEqual(knownFields(servedKind(kind), object).unknown, [], "they are gone");
  });
}
