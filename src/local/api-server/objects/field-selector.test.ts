import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKind } from "../../../../test/kit/api-server-stage.ts";
import { parseFieldSelector } from "./field-selector.ts";
import { StatusError } from "./status-error.ts";

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop" },
  status: { phase: "Running" },
};
const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "e" },
  involvedObject: { kind: "Pod", name: "a,b=c" },
  source: { component: "kubelet" },
};

const cases: [selector: string, object: typeof POD | typeof EVENT, matches: boolean][] = [
  ["", POD, true],
  ["metadata.name=web-1", POD, true],
  ["metadata.name==web-2", POD, false],
  ["metadata.namespace=shop,status.phase!=Running", POD, false],
  ["status.phase!=Failed", POD, true],
  ["spec.nodeName=", POD, true],
  ["involvedObject.kind=Pod,source=kubelet", EVENT, true],
  ["involvedObject.name=a\\,b\\=c", EVENT, true],
];
for (const [selector, object, matches] of cases) {
  test(`${JSON.stringify(selector)} ${matches ? "matches" : "does not match"}`, () =>
    assert.equal(parseFieldSelector(selector, servedKind(object.kind))(object), matches));
}

const refused: [selector: string, kind: string, told: RegExp][] = [
  ["data.a=b", "ConfigMap", /"data\.a" is not a known field selector/],
  ["spec.replicas=1", "Pod", /field label not supported: spec\.replicas/],
  ["metadata.name", "Pod", /invalid selector/],
];
for (const [selector, kind, told] of refused) {
  test(`${JSON.stringify(selector)} is refused of a ${kind}`, () =>
    assert.throws(
      () => parseFieldSelector(selector, servedKind(kind)),
      (error) => error instanceof StatusError && error.status === 400 && told.test(error.message),
    ));
}
