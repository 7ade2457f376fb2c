/** `docs/where.md` says where to add what: the files that it names are there, and so are the rows. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const rows = readFileSync("docs/where.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && line.includes("`"))
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")));

test("docs/where.md has a row for each kind of extension", () => {
  assert.ok(rows.length >= 9);
});

for (const [what = "", file = "", row = "", list = ""] of rows) {
  test(`docs/where.md: ${what}`, () => {
    const [named = ""] = codeIn(file);
    assert.ok(existsSync(named), `${named} is not there`);
    const [listed = ""] = codeIn(list);
    const text = readFileSync(listed, "utf8");
    for (const code of codeIn(row)) assert.ok(text.includes(code), `${listed} has no ${code}`);
  });
}

function codeIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
