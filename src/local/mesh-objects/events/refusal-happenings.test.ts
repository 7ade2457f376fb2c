import assert from "node:assert/strict";
import { test } from "node:test";
import type { RefusedResource } from "../../../control/refused-resources.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { refusalHappenings } from "./refusal-happenings.ts";

const WRITTEN: readonly string[] = ["readers", "nobody"];

function refused(name: string, message = "no"): RefusedResource {
  return { ref: { kind: "AuthorizationPolicy", namespace: "shop", name }, message };
}

function objectOf({ kind, namespace, name }: RefusedResource["ref"]): KubernetesObject | undefined {
  if (!WRITTEN.includes(name)) return undefined;
  return { apiVersion: "security.istio.io/v1", kind, metadata: { namespace, name, uid: "u" } };
}

const cases: readonly [
  what: string,
  before: readonly RefusedResource[],
  now: readonly RefusedResource[],
  told: readonly string[],
][] = [
  ["nothing", [], [], []],
  [
    "what is refused from now on",
    [refused("readers")],
    [refused("readers"), refused("nobody", "bad rule")],
    ["Warning RefusedByProxy AuthorizationPolicy shop/nobody: bad rule"],
  ],
  ["what is refused as before", [refused("nobody")], [refused("nobody")], []],
  [
    "what is refused in other words",
    [refused("nobody")],
    [refused("nobody", "still no")],
    ["Warning RefusedByProxy AuthorizationPolicy shop/nobody: still no"],
  ],
  [
    "what is refused no more, which is not to say that all have it",
    [refused("nobody"), refused("readers")],
    [refused("readers")],
    ["Normal TakenByProxies AuthorizationPolicy shop/nobody: no proxy refuses it now"],
  ],
  ["what is gone", [refused("deleted")], [refused("never-written")], []],
];

for (const [what, before, now, expected] of cases)
  test(what, () => {
    const told = refusalHappenings(before, now, objectOf).map(
      ({ about, type, reason, message }) =>
        `${type} ${reason} ${about.kind} ${about.namespace}/${about.name}: ${message}`,
    );
    assert.deepEqual(told, expected);
  });
