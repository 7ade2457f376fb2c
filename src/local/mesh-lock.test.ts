import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { identifyProcess } from "../runtime/process-identity.ts";
import { takeMeshLock } from "./mesh-lock.ts";
import { MeshStartError } from "./processes/own-process.ts";

async function lockFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, "up.lock");
}

test("whoever comes second is refused, and told who has it", async (context) => {
  const file = await lockFile(context);
  const lock = await takeMeshLock(file);
  await assert.rejects(
    takeMeshLock(file),
    (error) => error instanceof MeshStartError && error.message.includes(`process ${process.pid}`),
  );
  await lock.release();
  await (await takeMeshLock(file)).release();
});

test("of many at once exactly one gets it", async (context) => {
  const file = await lockFile(context);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => takeMeshLock(file)));
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
});

test("of many that find a stale lock at once exactly one gets it", async (context) => {
  const file = await lockFile(context);
  for (let round = 0; round < 60; round++) {
    await writeFile(file, JSON.stringify({ processId: 2 ** 22 + 1, startedAt: "1" }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => takeMeshLock(file)));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    await rm(file);
  }
});

const stale: [what: string, text: string][] = [
  ["a dead process", JSON.stringify({ processId: 2 ** 22 + 1, startedAt: "1" })],
  [
    "an earlier process of the same number",
    JSON.stringify({ ...identifyProcess(process.pid), startedAt: "1" }),
  ],
  ["a crash", ""],
];
for (const [what, text] of stale) {
  test(`a lock left by ${what} is taken over`, async (context) => {
    const file = await lockFile(context);
    await writeFile(file, text);
    await takeMeshLock(file);
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), identifyProcess(process.pid));
  });
}
