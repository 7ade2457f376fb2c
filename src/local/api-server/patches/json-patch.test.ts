/** What a JSON patch may cost, and what it leaves alone; what it does is compared in patch-object.test.ts. RFC 6902 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../objects/status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";

const refusal =
  (status: number) =>
  (error: unknown): boolean =>
    error instanceof StatusError && error.status === status;

test("copies of copies end at three megabytes", () => {
  const doubling = Array.from({ length: 60 }, (_, round) => ({
    op: "copy",
    from: "/all",
    path: `/all/${round}`,
  }));
  assert.throws(() => applyJsonPatch({ all: { text: "x".repeat(1_000) } }, doubling), refusal(413));
  const few = doubling.slice(0, 4);
  const copied = applyJsonPatch({ all: { text: "x" } }, few);
  assert.equal(JSON.stringify(copied).match(/text/g)?.length, 16);
});

const many = Array.from({ length: 9_000 }, (_, at) => at);
test("a long list is not shifted again and again", () => {
  const list = Array.from({ length: 20_000 }, () => "");
  const patch = many.map(() => ({ op: "add", path: "/list/0", value: "" }));
  assert.throws(() => applyJsonPatch({ list }, patch), refusal(413));
  const atEnd = many.map(() => ({ op: "add", path: "/list/-", value: "" }));
  const { list: longer } = applyJsonPatch({ list }, atEnd) as { readonly list: readonly string[] };
  assert.equal(longer.length, 29_000);
});

test("members of a large map are added one by one without copying it", () => {
  const map = Object.fromEntries(Array.from({ length: 90_000 }, (_, at) => [`k${at}`, ""]));
  const patch = many.map((at) => ({ op: "add", path: `/map/z${at}`, value: "" }));
  const began = performance.now();
  const { map: patched } = applyJsonPatch({ map }, patch) as { readonly map: object };
  assert.equal(Object.keys(patched).length, 99_000);
  assert.ok(performance.now() - began < 5_000); // copying it each time takes minutes
});

test("neither the object nor the patch is changed, whatever follows on what was put in", () => {
  const target = { a: { b: [1, 2] } };
  const patch = [
    { op: "add", path: "/c", value: { d: [] } },
    { op: "add", path: "/c/d/-", value: 1 },
    { op: "copy", from: "/a", path: "/e" },
    { op: "remove", path: "/e/b/0" },
    { op: "move", from: "/a", path: "/f" },
  ];
  const before = JSON.stringify([target, patch]);
  const patched = applyJsonPatch(target, patch);
  assert.deepEqual(patched, { c: { d: [1] }, e: { b: [2] }, f: { b: [1, 2] } });
  assert.equal(JSON.stringify([target, patch]), before);
});

test("a path of more steps than anything has leads nowhere", () => {
  const patch = [{ op: "add", path: "/a".repeat(101), value: 1 }];
  assert.throws(() => applyJsonPatch({}, patch), refusal(422));
});

test("names that objects of JavaScript have are names like others", () => {
  const patch = [
    { op: "add", path: "/data/__proto__", value: { polluted: true } },
    { op: "add", path: "/data/constructor", value: "x" },
  ];
  const patched = applyJsonPatch({ data: {} }, patch);
  assert.equal(
    JSON.stringify(patched),
    '{"data":{"__proto__":{"polluted":true},"constructor":"x"}}',
  );
  assert.equal(Reflect.get({}, "polluted"), undefined);
  assert.throws(
    () => applyJsonPatch({ data: {} }, [{ op: "add", path: "/__proto__/x", value: 1 }]),
    refusal(422),
  );
});
