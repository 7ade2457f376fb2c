import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { COLOURS, NO_COLOURS } from "./paint.ts";
import { formatTitles, formatVerdictRow, type VerdictRow } from "./verdict-table.ts";

const row: VerdictRow = {
  number: "24",
  caller: "compromised",
  callee: "database:5432",
  request: "GET /api/v1/orders through frontend's own listener",
  verdict: "refused 403",
  shade: "bad",
  decidedBy: "DENY production/block-compromised[0]",
  identities: "production/compromised-service -> production/database",
};

test("at 100 columns a row has two lines, and nothing of it is cut", () => {
  const lines = formatVerdictRow(row, { columns: 100, paint: NO_COLOURS });
  assert.deepEqual(lines, [
    "24  compromised  database:5432  GET /api/v1/orders through frontend's own listener     refused 403",
    "    DENY production/block-compromised[0]       production/compromised-service -> production/database",
  ]);
});

test("a wide terminal has it all on one line", () => {
  const lines = formatVerdictRow(row, { columns: 200, paint: NO_COLOURS });
  assert.equal(lines.length, 1);
  const { shade: _, ...cells } = row;
  for (const cell of Object.values(cells)) assert.ok(lines[0]?.includes(cell), cell);
});

test("titles stand above their columns", () => {
  const [titles = ""] = formatTitles(200, NO_COLOURS);
  const [line = ""] = formatVerdictRow(row, { columns: 200, paint: NO_COLOURS });
  for (const [title, cell] of [
    ["caller", row.caller],
    ["callee", row.callee],
    ["request", row.request],
    ["verdict", row.verdict],
    ["deciding policy", row.decidedBy],
    ["proven identities", row.identities],
  ] as const) {
    assert.equal(titles.indexOf(title), line.indexOf(cell), title);
  }
});

test("colours add nothing that is not there without them", () => {
  const coloured = formatVerdictRow(row, { columns: 100, paint: COLOURS });
  const plain = coloured.map((line) => line.replace(/\p{Cc}\[\d+m/gu, "").trimEnd());
  assert.deepEqual(plain, formatVerdictRow(row, { columns: 100, paint: NO_COLOURS }));
  assert.ok(coloured[0]?.includes("\u001b[31mrefused 403"));
});

test("law: no line is wider than the terminal, and none moves the cursor", () => {
  const text = fc.oneof(fc.string({ maxLength: 90 }), fc.constant("\u001b[2J\r\n\u009b"));
  const rows: fc.Arbitrary<VerdictRow> = fc.record({
    number: fc.constantFrom("", "7", "30"),
    caller: text,
    callee: text,
    request: text,
    verdict: text,
    shade: fc.constant("good"),
    decidedBy: text,
    identities: text,
  });
  fc.assert(
    fc.property(rows, fc.integer({ min: 60, max: 260 }), (any, columns) => {
      for (const line of formatVerdictRow(any, { columns, paint: NO_COLOURS })) {
        assert.ok(line.length <= columns, `${line.length} of ${columns}`);
        assert.doesNotMatch(line, /\p{Cc}/u);
      }
    }),
  );
});
