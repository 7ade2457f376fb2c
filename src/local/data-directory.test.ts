import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DataDirectory } from "./data-directory.ts";

async function createFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("a folder that is not there is made, with those above it, closed to others", async (context) => {
  const path = join(await createFolder(context), "one", "two");
  await new DataDirectory(path).create();
  assert.equal((await stat(path)).mode & 0o777, 0o700);
});

const IN_PLACE: readonly (readonly [path: string, problem: string])[] = [
  ["taken", "is a file, and no folder"],
  ["taken/inside", "would be inside of a file"],
];

for (const [path, problem] of IN_PLACE) {
  test(`a data directory that ${problem} is refused in one line`, async (context) => {
    const folder = await createFolder(context);
    await writeFile(join(folder, "taken"), "");
    await assert.rejects(new DataDirectory(join(folder, path)).create(), {
      code: "HAUBERK_DATA_DIRECTORY",
      message: `${join(folder, path)} ${problem}; name a folder with --data, which may be a new one`,
    });
  });
}

test("a folder that is open to others is refused", async (context) => {
  const folder = await createFolder(context);
  await chmod(folder, 0o755);
  await assert.rejects(new DataDirectory(folder).create(), { code: "HAUBERK_DATA_DIRECTORY" });
});

test("a socket moves where its path has too many bytes, however few characters these are", () => {
  const inside = (name: string): boolean => {
    const { path, socket } = new DataDirectory(join("/srv", name));
    return socket.startsWith(`${path}/`);
  };
  assert.deepEqual([inside("ü".repeat(42)), inside("ü".repeat(43))], [true, false]);
});
