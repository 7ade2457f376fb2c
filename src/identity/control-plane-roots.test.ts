import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlPlaneRoots } from "./control-plane-roots.ts";

test("what the control plane said last counts; before that, what the sidecar was started with", () => {
  const roots = new ControlPlaneRoots("first");
  assert.deepEqual(roots.current, ["first"]);
  roots.tell([]);
  assert.deepEqual(roots.current, ["first"]);
  roots.tell(["first", "second"]);
  assert.deepEqual(roots.current, ["first", "second"]);
  roots.tell(["second"]);
  assert.deepEqual(roots.current, ["second"], "a root that was given up is believed no more");
});

test("whoever started the sidecar can help it out with another root, but not bring back an old one", () => {
  const roots = new ControlPlaneRoots("first");
  roots.tell(["second"]);
  roots.give("first");
  assert.deepEqual(roots.current, ["second"]);
  roots.give("third");
  assert.deepEqual(roots.current, ["third", "second"]);
  roots.tell(["third"]);
  assert.deepEqual(roots.current, ["third"]);
});
