/** Tables are as a real kube-apiserver prints them (test/interop/kubernetes/record.ts). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { servedKindOf } from "../../../../test/kit/kubernetes/object-paths.ts";
import type { RecordedTable } from "../../../../test/kit/kubernetes/recorded-table.ts";
import { printedDuration } from "../kinds/printed-values.ts";
import { SERVED_KINDS } from "../kinds/served-kinds.ts";
import { tableOf } from "./table.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/tables.json", "utf8"),
) as RecordedTable[];

/** A second may lie between what the server looked at the clock for and when it was recorded. */
const ageless = (cell: unknown): unknown =>
  typeof cell === "string" && /^\d+s$/.test(cell) ? "seconds" : cell;

function withoutAges(rows: unknown): unknown {
  return (rows as { cells: unknown[] }[]).map((row) => ({ ...row, cells: row.cells.map(ageless) }));
}

describe("tables are as a kube-apiserver's", () => {
  test("are recorded", () => assert.ok(recorded.length >= 20));
  for (const { apiVersion, kind, now, objects, columnDefinitions, rows } of recorded) {
    test(`of ${kind}`, () => {
      const table = tableOf(servedKindOf({ apiVersion, kind }), objects, { now, carried: "None" });
      assert.deepEqual(table["columnDefinitions"], columnDefinitions);
      assert.deepEqual(withoutAges(table["rows"]), withoutAges(rows));
    });
  }
});

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const durations: [milliseconds: number, printed: string][] = [
  [-5 * SECOND, "<invalid>"],
  [-SECOND, "0s"],
  [0, "0s"],
  [119_999, "119s"],
  [2 * MINUTE, "2m"],
  [9 * MINUTE + 59 * SECOND, "9m59s"],
  [10 * MINUTE, "10m"],
  [179 * MINUTE, "179m"],
  [3 * HOUR, "3h"],
  [7 * HOUR + 59 * MINUTE, "7h59m"],
  [8 * HOUR + 59 * MINUTE, "8h"],
  [47 * HOUR, "47h"],
  [2 * DAY, "2d"],
  [3 * DAY + 5 * HOUR, "3d5h"],
  [8 * DAY + 5 * HOUR, "8d"],
  [729 * DAY, "729d"],
  [730 * DAY, "2y"],
  [731 * DAY, "2y1d"],
  [2920 * DAY, "8y"],
  [3000 * DAY, "8y"],
];
for (const [milliseconds, printed] of durations) {
  test(`${milliseconds} ms are printed ${printed}`, () => {
    assert.equal(printedDuration(milliseconds), printed);
  });
}

test("rows carry what identifies their objects, the object, or nothing", () => {
  const [kind] = SERVED_KINDS;
  assert.ok(kind !== undefined);
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" }, spec: {} };
  const carried = (how?: "Metadata" | "None" | "Object"): unknown =>
    (
      tableOf(kind, [object], { now: 0, ...(how && { carried: how }) })["rows"] as {
        object?: unknown;
      }[]
    )[0]?.object;
  const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
  assert.deepEqual(carried(), { ...partial, metadata: { name: "shop" } });
  assert.deepEqual(carried("Object"), object);
  assert.equal(carried("None"), undefined);
});
