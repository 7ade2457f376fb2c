import assert from "node:assert/strict";
import { test } from "node:test";
import { put, servedKind, stageStore } from "../../../../test/kit/api-server-stage.ts";
import type { JsonValue } from "../../api-server/kinds/kubernetes-object.ts";
import { objectText } from "../object-text.ts";
import { ObjectWriter } from "./object-writer.ts";
import { ShownRefusals } from "./shown-refusals.ts";

const POLICY = servedKind("AuthorizationPolicy");
const REF = { kind: "AuthorizationPolicy", namespace: "shop", name: "readers" };
const OTHERS: JsonValue = { type: "Reconciled", status: "True", reason: "ByIstiod" };

function staged(conditions?: readonly JsonValue[]) {
  const store = stageStore();
  put(store, {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "readers", namespace: "shop" },
    spec: {},
    ...(conditions && { status: { conditions: [...conditions] } }),
  });
  const object = () => {
    const found = store.get({ kind: POLICY, namespace: "shop", name: "readers" });
    return found ?? assert.fail("it is gone");
  };
  return { store, object, shown: new ShownRefusals(new ObjectWriter(store)) };
}

test("a refusal is a condition, told once, and gone when proxies have it", () => {
  const { shown, object } = staged();
  const text = objectText(object());
  shown.show([{ ref: REF, message: "Envoys refuse it" }]);
  const first = object();
  const { conditions } = first["status"] as { conditions: readonly Record<string, string>[] };
  assert.equal(conditions.length, 1);
  const { lastTransitionTime, ...condition } = conditions[0] ?? {};
  assert.deepEqual(condition, {
    type: "Reconciled",
    status: "False",
    reason: "RefusedByProxy",
    message: "Envoys refuse it",
  });
  assert.match(lastTransitionTime ?? "", /^\d{4}-.*Z$/);
  shown.show([{ ref: REF, message: "Envoys refuse it" }]);
  assert.equal(object(), first);
  assert.equal(objectText(first), text, "what the mesh makes of it is the same");
  shown.show([]);
  assert.deepEqual(object()["status"], { conditions: [] });
});

test("what somebody else says of it stays", () => {
  const { shown, object } = staged([OTHERS]);
  shown.show([]);
  assert.deepEqual(object()["status"], { conditions: [OTHERS] });
});

test("what an earlier process left is taken away", () => {
  const left = { type: "Reconciled", status: "False", reason: "RefusedByProxy", message: "x" };
  const { shown, object } = staged([left]);
  shown.show([]);
  assert.deepEqual(object()["status"], { conditions: [] });
});

test("of what is gone nothing is written", () => {
  const { shown, store } = staged();
  shown.show([{ ref: { ...REF, name: "gone" }, message: "no" }]);
  assert.equal(store.get({ kind: POLICY, namespace: "shop", name: "gone" }), undefined);
});
