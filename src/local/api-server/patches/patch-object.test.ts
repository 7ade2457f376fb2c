/** Patches do what they do to a real kube-apiserver (test/interop/kubernetes/record.ts), RFC 6902 and RFC 7386. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { servedKindOf } from "../../../../test/kit/kubernetes/object-paths.ts";
import { PATCH_CASES } from "../../../../test/kit/kubernetes/patch-cases.ts";
import type { RecordedPatch } from "../../../../test/kit/kubernetes/recorded-patch.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { StatusError } from "../objects/status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { patchObject } from "./patch-object.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/patches.json", "utf8"),
) as RecordedPatch[];

/** What it says of an object, not of a patch, is for validation to find. */
const isOfValidation = ({ status, message = "" }: RecordedPatch): boolean =>
  status === 422 && message.includes(" is invalid: ");

describe("patches are as a kube-apiserver's", () => {
  test("all are recorded", () => assert.equal(recorded.length, PATCH_CASES.length));
  for (const [index, { name, object, type, body }] of PATCH_CASES.entries()) {
    test(`${type}: ${name}`, () => {
      const expected = recorded[index];
      assert.ok(expected !== undefined && expected.name === name);
      const kind = servedKindOf(object);
      const { withDefaults = (one: KubernetesObject) => one } = kind;
      const patched = (): KubernetesObject =>
        withDefaults(patchObject(kind, withDefaults(object), { type, body }));
      if (expected.status === 200) {
        const { status: _, ...rest } = expected.object ?? {};
        const { status: __, ...found } = patched();
        assert.deepEqual(found, rest);
      } else if (!isOfValidation(expected)) {
        // Where the real one fails over a patch, it is the patch that was bad.
        const status = expected.status === 500 ? 400 : expected.status;
        assert.throws(patched, (error: unknown) => {
          assert.ok(error instanceof StatusError);
          assert.equal(error.status, status);
          if (expected.reason) assert.equal(error.reason, expected.reason);
          return true;
        });
      }
    });
  }
});

test("kinds that resources define take no strategic patch", () => {
  const kind = servedKindOf({ apiVersion: "security.istio.io/v1", kind: "PeerAuthentication" });
  const object = { apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata: {} };
  assert.throws(
    () => patchObject(kind, object, { type: "strategic", body: {} }),
    (error: unknown) => error instanceof StatusError && error.status === 415,
  );
});

const lost: JsonValue[] = [
  [{ op: "remove", path: "/kind" }],
  [{ op: "replace", path: "/metadata", value: 1 }],
  [{ op: "replace", path: "", value: [] }],
];
for (const body of lost) {
  test(`what is no object afterwards is refused: ${JSON.stringify(body)}`, () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    assert.throws(
      () => patchObject(servedKindOf(object), object, { type: "json", body }),
      (error: unknown) => error instanceof StatusError && error.status === 422,
    );
  });
}

test("there may be only so many operations", () => {
  const body = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 }));
  assert.throws(
    () => applyJsonPatch({ a: 1 }, body),
    (error: unknown) => error instanceof StatusError && error.status === 413,
  );
});

test("a pointer names keys with a slash and a tilde", () => {
  const body = [{ op: "replace", path: "/a~1b/m~0n", value: 2 }];
  assert.deepEqual(applyJsonPatch({ "a/b": { "m~n": 1 } }, body), { "a/b": { "m~n": 2 } });
});

test("a pointer begins with a slash", () => {
  assert.throws(
    () => applyJsonPatch({ a: 1 }, [{ op: "replace", path: "x/a", value: 2 }]),
    (error: unknown) => error instanceof StatusError && error.status === 422,
  );
});

/** RFC 7386, appendix A, where both are objects. */
const examples: [target: JsonObject, patch: JsonObject, result: JsonObject][] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];
for (const [target, patch, result] of examples) {
  test(`RFC 7386: ${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () => {
    assert.deepEqual(applyMergePatch(target, patch), result);
  });
}

const anyKey = fc.constantFrom("a", "b", "constructor", "__proto__", "toString");
const anyMap: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(anyKey, fc.oneof(fc.nat(3), fc.constant(null))))
  .map((entries) => Object.fromEntries(entries));

test("a merge patch applied twice does no more than once, whatever the keys are called", () => {
  fc.assert(
    fc.property(anyMap, anyMap, (target, patch) => {
      const once = applyMergePatch(target, patch);
      assert.deepEqual(applyMergePatch(once, patch), once);
      for (const [key, value] of Object.entries(patch)) {
        const kept = Object.hasOwn(once, key) ? once[key] : null;
        assert.equal(kept, value);
      }
      assert.equal(Object.getPrototypeOf(once), Object.prototype);
    }),
  );
});
