import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { authorityFolderProblem } from "./authority-folder-problem.ts";

const STRANGER = 1001;
const FOR_ROOT = process.getuid?.() === 0 ? false : "only root gives files to others";

/** As Kubernetes mounts a secret: each file is a link into the folder of one state. */
async function authorityFolder(context: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "hauberk-")));
  context.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "..state"), { mode: 0o755 });
  await symlink("..state", join(folder, "..data"));
  await writeFile(join(folder, "..state", "ca-key.pem"), "", { mode: 0o600 });
  await symlink("..data/ca-key.pem", join(folder, "ca-key.pem"));
  await writeFile(join(folder, "root-cert.pem"), "", { mode: 0o644 });
  return folder;
}

test("a folder that its user alone writes is good, as is one that others may read", async (context) => {
  const folder = await authorityFolder(context);
  assert.equal(await authorityFolderProblem(folder), undefined);
  await chmod(folder, 0o755);
  assert.equal(await authorityFolderProblem(folder), undefined);
});

for (const [what, part, mode] of [
  ["the folder", ".", 0o777],
  ["the folder that links lead to", "..state", 0o757],
  ["a file", "root-cert.pem", 0o666],
  ["a file behind links", "..state/ca-key.pem", 0o602],
] as const) {
  test(`what others write is told: ${what}`, async (context) => {
    const folder = await authorityFolder(context);
    await chmod(join(folder, part), mode);
    assert.match((await authorityFolderProblem(folder)) ?? "", / can be written by every user$/);
  });
}

for (const part of [".", "root-cert.pem", "..state/ca-key.pem"]) {
  test(`what belongs to another user is told: ${part}`, { skip: FOR_ROOT }, async (context) => {
    const folder = await authorityFolder(context);
    await chown(join(folder, part), STRANGER, STRANGER);
    const problem = await authorityFolderProblem(folder);
    assert.equal(problem, `${join(folder, part)} belongs to another user`);
  });
}

test("a folder that is not there is another's to tell", async (context) => {
  const folder = await authorityFolder(context);
  await assert.rejects(authorityFolderProblem(join(folder, "missing")), { code: "ENOENT" });
});
