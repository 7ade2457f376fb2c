import assert from "node:assert/strict";
import { test } from "node:test";
import type { Issue } from "../../api/resource.ts";
import { SERVED_KINDS } from "../api-server/kinds/served-kinds.ts";
import { refusedChange } from "./change-refusals.ts";
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

test("faults of the object itself are invalid, those of others forbid it", () => {
  assert.equal(refusedChange(change, { issues: issues(1, "a"), file: "a" }).status, 422);
  assert.equal(refusedChange(change, { issues: issues(1, "b"), file: "a" }).status, 403);
});
