import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hostFiles } from "./host-files.ts";
import { realPath } from "./real-path.ts";

test("a path without links is what the machine says, and what is not there stays as it is", async (context) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "hauberk-")));
  context.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "one", "two"), { recursive: true });
  await writeFile(join(folder, "one", "file"), "");
  await symlink(join(folder, "one"), join(folder, "absolute"));
  await symlink("../one/../one/two", join(folder, "one", "relative"));
  await symlink("absolute/relative/../file", join(folder, "far"));
  await symlink("round", join(folder, "round"));
  for (const path of ["one/two", "absolute/two", "absolute/relative", "far", "one/./two/../two"]) {
    const written = join(folder, path);
    assert.equal(realPath(written, hostFiles), await realpath(written), path);
  }
  assert.equal(
    realPath(join(folder, "absolute", "new", "file"), hostFiles),
    join(folder, "one", "new", "file"),
  );
  assert.equal(realPath(join(folder, "round"), hostFiles), join(folder, "round"));
  assert.equal(realPath("/", hostFiles), "/");
});
