import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import fc from "fast-check";
import { LogFile, type LogTrouble } from "./log-file.ts";

let folder: string;
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

const descriptors: number[] = [];
after(() => {
  for (const descriptor of descriptors) closeSync(descriptor);
});
function opened(path: string): number {
  const descriptor = openSync(path, "a+", 0o600);
  descriptors.push(descriptor);
  return descriptor;
}

function logIn(maxBytes: number) {
  const path = join(folder, `${count++}.log`);
  const file = new LogFile({
    descriptor: opened(path),
    predecessor: opened(`${path}.1`),
    maxBytes,
  });
  return {
    file,
    read: () => readFile(path, "utf8"),
    older: () => readFile(`${path}.1`, "utf8"),
    path,
  };
}

test("when the file is full it begins anew, and its predecessor has what it held", async () => {
  const { file, read, older } = logIn(10);
  for (const line of ["one", "two", "three"]) file.write(line);
  assert.deepEqual([await older(), await read()], ["one\ntwo\n", "three\n"]);
  for (const line of ["four", "five"]) file.write(line);
  assert.deepEqual([await older(), await read()], ["three\n", "four\nfive\n"]);
});

test("what an earlier process wrote counts", async () => {
  const { file, path, read, older } = logIn(10);
  file.write("one");
  const next = new LogFile({
    descriptor: opened(path),
    predecessor: opened(`${path}.1`),
    maxBytes: 10,
  });
  next.write("sixes");
  next.write("x");
  assert.deepEqual([await older(), await read()], ["one\nsixes\n", "x\n"]);
});

test("without a predecessor the bound holds all the same", async () => {
  const path = join(folder, "alone.log");
  const file = new LogFile({ descriptor: opened(path), maxBytes: 10 });
  for (const line of ["one", "two", "three"]) file.write(line);
  assert.equal(await readFile(path, "utf8"), "three\n");
});

test("law: both files together are the newest lines, whole, and neither is larger than it may be", async () => {
  const lines = fc.array(fc.string({ maxLength: 12, unit: fc.constantFrom("a", "ü", "z") }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(lines, async (written) => {
      const { file, read, older } = logIn(64);
      for (const line of written) file.write(line);
      const kept = [await older(), await read()];
      for (const text of kept) assert.ok(Buffer.byteLength(text) <= 64);
      const all = written.map((line) => `${line}\n`).join("");
      assert.ok(all.endsWith(kept.join("")));
      if (Buffer.byteLength(all) > 64) assert.ok(Buffer.byteLength(kept.join("")) > 32);
    }),
    { numRuns: 50 },
  );
});

/** A descriptor that cannot be written stands for a disk that is full; `full-disk.test.ts` fills one. */
test("what cannot be written is counted and told once, and ends nothing", (context: TestContext) => {
  const path = join(folder, "closed.log");
  const reading = openSync(path, "a+");
  closeSync(reading);
  const descriptor = openSync(path, "r");
  context.after(() => closeSync(descriptor));
  const troubles: LogTrouble[] = [];
  const file = new LogFile({ descriptor, onTrouble: (trouble) => troubles.push(trouble) });
  for (let index = 0; index < 5; index++) file.write("lost");
  assert.deepEqual(
    troubles.map(({ type }) => type),
    ["not-written"],
  );
});
