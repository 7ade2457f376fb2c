import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFile } from "./atomic-file.ts";

test("a file is replaced whole, with its mode, and nothing is left beside it", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "key.pem");
  await replaceFile(file, "one", { mode: 0o600 });
  await replaceFile(file, "two", { mode: 0o600 });
  assert.equal(await readFile(file, "utf8"), "two");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ["key.pem"]);
});

test("a failure leaves the folder as it was", async () => {
  await assert.rejects(replaceFile("/nowhere/at/all/file", "text", { mode: 0o600 }), {
    code: "ENOENT",
  });
});
