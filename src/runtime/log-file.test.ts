import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import type { LogTrouble } from "./line-losses.ts";
import { LogFile } from "./log-file.ts";

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
  await file.flush();
  assert.deepEqual([await older(), await read()], ["one\ntwo\n", "three\n"]);
  for (const line of ["four", "five"]) file.write(line);
  await file.flush();
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
  await next.flush();
  assert.deepEqual([await older(), await read()], ["one\nsixes\n", "x\n"]);
});

test("without a predecessor the bound holds all the same", async () => {
  const path = join(folder, "alone.log");
  const file = new LogFile({ descriptor: opened(path), maxBytes: 10 });
  for (const line of ["one", "two", "three"]) file.write(line);
  await file.flush();
  assert.equal(await readFile(path, "utf8"), "three\n");
});

/** Single lines, several that were gathered, and waiting for both. */
type Step = string | readonly string[] | "flush";
const line = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "ü", "z") });
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(line, fc.array(line, { minLength: 1, maxLength: 3 }), fc.constant("flush" as const)),
  { maxLength: 40 },
);
const linesOf = (step: Step): readonly string[] =>
  step === "flush" ? [] : typeof step === "string" ? [step] : step;
const textOf = (lines: readonly string[]): string => lines.map((one) => `${one}\n`).join("");

async function take(file: LogFile, step: Step): Promise<void> {
  if (step === "flush") await file.flush();
  else if (typeof step === "string") file.write(step);
  else void file.append(Buffer.from(textOf(step)));
}

test("law: both files together are the newest lines, whole, and neither is larger than it may be", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const { file, read, older } = logIn(128);
      for (const step of taken) await take(file, step);
      await file.flush();
      const kept = [await older(), await read()];
      for (const text of kept) assert.ok(Buffer.byteLength(text) <= 128);
      const all = textOf(taken.flatMap(linesOf));
      assert.ok(all.endsWith(kept.join("")));
      if (Buffer.byteLength(all) > 128) assert.ok(Buffer.byteLength(kept.join("")) > 48);
    }),
    { numRuns: 50 },
  );
});

test("law: at the end of the process everything is there once, in order, whatever is under way", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(8), async (taken, turns) => {
      const { file, path } = logIn(1_000_000);
      for (const step of taken) await take(file, step);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      file.writeNow(Buffer.from("the last\n"));
      assert.equal(readFileSync(path, "utf8"), textOf([...taken.flatMap(linesOf), "the last"]));
    }),
    { numRuns: 50 },
  );
});

test("the end of the process does not wait for megabytes that are being copied, and loses nothing", async () => {
  const { file, path } = logIn(4_000_000);
  const first = "a".repeat(3_999_990);
  file.write(first);
  file.write("b".repeat(20));
  await setImmediate();
  file.writeNow(Buffer.from("c\n"));
  assert.equal(readFileSync(path, "utf8"), `${first}\n${"b".repeat(20)}\nc\n`);
});

test("lines that wait for a file that begins anew are bounded and counted", async () => {
  const path = join(folder, "waiting.log");
  const troubles: LogTrouble[] = [];
  const file = new LogFile({
    descriptor: opened(path),
    predecessor: opened(`${path}.1`),
    maxBytes: 600_000,
    onTrouble: (trouble) => troubles.push(trouble),
  });
  for (let index = 0; index < 5; index++) file.write("x".repeat(500_000));
  await file.flush();
  file.write("again");
  assert.deepEqual(troubles, [
    { type: "not-written", problem: "it is being copied" },
    { type: "written-again", lostLines: 2 },
  ]);
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
