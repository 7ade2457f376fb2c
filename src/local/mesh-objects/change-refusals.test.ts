import assert from "node:assert/strict";
import { test } from "node:test";
import type { Issue } from "../../api/resource.ts";
import { SERVED_KINDS } from "../api-server/kinds/served-kinds.ts";
import { refusedChange, writtenByMesh } from "./change-refusals.ts";
import { kindOf } from "./object-key.ts";

const kind = kindOf({ apiVersion: "v1", kind: "Service" }, SERVED_KINDS);
assert.ok(kind);
const change = { kind, namespace: "shop", name: "api", before: undefined, after: undefined };
const issues = (count: number, file: string): readonly Issue[] =>
  Array.from({ length: count }, (_, at) => ({
    source: { file, line: 1 },
    path: `spec.ports[${at}]`,
    problem: "is wrong",
  }));

test("so many problems are told one by one, the rest by their number", () => {
  for (const file of ["own.yaml", "other.yaml"]) {
    const few = refusedChange(change, { issues: issues(100, file), file: "own.yaml" });
    assert.doesNotMatch(few.message, /more/);
    const many = refusedChange(change, { issues: issues(103, file), file: "own.yaml" });
    assert.match(many.message, /spec\.ports\[99\].*and 3 more/);
    assert.doesNotMatch(many.message, /spec\.ports\[100\]/);
  }
});

test("a fault of the whole object has a field too, which kubectl prints before a colon", () => {
  const issue: Issue = { source: { file: "a", line: 1 }, path: "", problem: "cannot be enforced" };
  const { message, details } = refusedChange(change, { issues: [issue], file: "a" });
  assert.equal(message, 'Service "api" is invalid: cannot be enforced');
  const causes = [{ reason: "FieldValueInvalid", message: "cannot be enforced", field: "spec" }];
  assert.deepEqual(details?.causes, causes);
});

test("faults of the object itself are invalid, those of others forbid it", () => {
  assert.equal(refusedChange(change, { issues: issues(1, "a"), file: "a" }).status, 422);
  assert.equal(refusedChange(change, { issues: issues(1, "b"), file: "a" }).status, 403);
});

test("a pod by itself is refused with what to do instead, other changes with what to change", () => {
  const pods = kindOf({ apiVersion: "v1", kind: "Pod" }, SERVED_KINDS);
  assert.ok(pods);
  const pod = { ...change, kind: pods, name: "probe" };
  const made = writtenByMesh(pod);
  assert.equal(made.status, 403);
  assert.match(made.message, /kubectl run cannot make "probe": pods are made from a Deployment/);
  assert.match(made.message, /kubectl create deployment probe --image=probe -- COMMAND/);
  const object = { apiVersion: "v1", kind: "Pod", metadata: { name: "probe" } };
  const changed = writtenByMesh({ ...pod, before: object });
  assert.equal(
    changed.message,
    'pods "probe" is written by the mesh alone; change what it is made from',
  );
});
