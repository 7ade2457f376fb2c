import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { FormerTemplates } from "./former-templates.ts";

const set = (version: string, uid = "u"): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db", namespace: "shop", uid },
  spec: { template: { version } },
});

function versions() {
  const templates = new FormerTemplates();
  return {
    templates,
    of: (pod: string, of: KubernetesObject, isBehind: boolean) =>
      templates.of({ pod, set: of, isBehind })["version"],
  };
}

test("a pod that is behind is as it was shown last", () => {
  const { of } = versions();
  assert.equal(of("shop/db-0", set("one"), false), "one");
  assert.equal(of("shop/db-0", set("two"), true), "one");
  assert.equal(of("shop/db-0", set("three"), true), "one");
  assert.equal(of("shop/db-0", set("three"), false), "three");
  assert.equal(of("shop/db-0", set("four"), true), "three");
});

test("one that was never shown is as its set says", () => {
  const { of } = versions();
  assert.equal(of("shop/db-0", set("two"), true), "two");
});

test("a set of the same name that is another one has other pods, and of one that is gone nothing is known", () => {
  const { of, templates } = versions();
  of("shop/db-0", set("one"), false);
  assert.equal(of("shop/db-0", set("two", "another"), true), "two");
  of("shop/db-1", set("one"), false);
  templates.forgetOthers([set("one", "another")]);
  assert.equal(of("shop/db-1", set("two"), true), "two");
});
