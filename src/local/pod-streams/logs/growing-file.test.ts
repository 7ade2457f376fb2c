import assert from "node:assert/strict";
import { appendFile, copyFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { beginOfLastLines, GrowingFile } from "./growing-file.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-log-"));
});
after(() => rm(folder, { recursive: true }));

async function readOn(file: GrowingFile): Promise<string[]> {
  const texts: string[] = [];
  for await (const lines of file.readOn()) texts.push(...lines.map(({ text }) => text.toString()));
  return texts;
}

test("whole lines are told once, as they come; one that is not ended waits, or is told last", async () => {
  const path = join(folder, "grows.log");
  const file = new GrowingFile({ path });
  assert.deepEqual(await readOn(file), [], "it is not there yet");
  await writeFile(path, "one\ntw");
  assert.deepEqual(await readOn(file), ["one\n"]);
  assert.deepEqual(await readOn(file), []);
  await appendFile(path, "o\n\nthree");
  assert.deepEqual(await readOn(file), ["two\n", "\n"]);
  assert.deepEqual(file.lastLine(), { text: Buffer.from("three"), end: 14 });
  assert.equal(file.lastLine(), undefined);
  await file.close();
});

test("what a file held before it began anew is read from its predecessor", async () => {
  const path = join(folder, "turns.log");
  await writeFile(path, "one\ntwo\n");
  const file = new GrowingFile({ path });
  assert.deepEqual(await readOn(file), ["one\n", "two\n"]);
  await appendFile(path, "three\n");
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  await appendFile(path, "four\n");
  assert.deepEqual(await readOn(file), ["three\n", "four\n"]);
  await file.close();
});

test("a file may be read from some place on, and no further than another", async () => {
  const path = join(folder, "parts.log");
  await writeFile(path, "one\ntwo\nthree\n");
  const file = new GrowingFile({ path, from: 4, until: 8 });
  assert.deepEqual(await readOn(file), ["two\n"]);
  await file.close();
});

test("a line of many megabytes is told in parts, and nothing of it is lost", async () => {
  const path = join(folder, "long.log");
  await writeFile(path, `${"x".repeat(3_000_000)}\nend\n`);
  const file = new GrowingFile({ path });
  const lines = await readOn(file);
  assert.equal(lines.join("").length, 3_000_005);
  assert.equal(lines.at(-1), "end\n");
  assert.ok(lines.every(({ length }) => length <= 1_400_000));
  await file.close();
});

const LAST: readonly (readonly [text: string, lines: number, from: number, begin: string])[] = [
  ["a\nb\nc\n", 1, 0, "c\n"],
  ["a\nb\nc\n", 2, 0, "b\nc\n"],
  ["a\nb\nc\n", 3, 0, "a\nb\nc\n"],
  ["a\nb\nc\n", 9, 0, "a\nb\nc\n"],
  ["a\nb\nc\n", 9, 2, "b\nc\n"],
  ["a\nb\nc\n", 0, 0, ""],
  ["a\nb\nc", 1, 0, "c"],
  ["a\nb\nc", 2, 0, "b\nc"],
  ["\n\n\n", 2, 0, "\n\n"],
  ["", 5, 0, ""],
  [`${"y".repeat(300_000)}\nz\n`, 1, 0, "z\n"],
  [`a\n${"y".repeat(300_000)}\n`, 1, 0, `${"y".repeat(300_000)}\n`],
];
for (const [index, [text, lines, from, expected]] of LAST.entries()) {
  test(`the last ${lines} lines of ${JSON.stringify(text.slice(0, 12))} from ${from} on`, async () => {
    const path = join(folder, `last-${index}.log`);
    await writeFile(path, text);
    const begin = await beginOfLastLines(path, { lines, from });
    assert.equal(text.slice(begin), expected);
  });
}
