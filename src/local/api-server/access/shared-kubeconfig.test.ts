import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SharedKubeconfig, sharedDataDirectories } from "./shared-kubeconfig.ts";

const ACCESS = { server: "https://127.0.0.1:1", authorityPem: "", token: "" };

test("it is known which meshes have pods that were shown a folder around a data directory", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  for (const path of ["mesh/.hauberk-b", "mesh-2/.hauberk", "away"])
    await mkdir(join(folder, path), { recursive: true });
  await symlink("mesh", join(folder, "link"));
  const shared = new SharedKubeconfig(join(folder, "state"));
  const add = (name: string, data: string, ...shown: readonly string[]): Promise<void> =>
    shared.add(
      { ...ACCESS, name },
      join(folder, data),
      shown.map((path) => join(folder, path)),
    );
  await add("west", "mesh/.hauberk-b", "mesh");
  await add("east", "mesh/.hauberk", "gone", "mesh");
  await add("linked", "away", "link");
  await add("loopback", "mesh/.hauberk-c");
  await add("other", "mesh-2/.hauberk", "mesh-2");
  const showing = (data: string): Promise<readonly string[]> => shared.showing(join(folder, data));
  assert.deepEqual(await showing("mesh/.hauberk-b"), ["east", "linked"]);
  assert.deepEqual(await showing("mesh-2/.hauberk"), []);
  assert.deepEqual(await showing("away"), []);
  assert.equal(sharedDataDirectories(join(folder, "state")).length, 5);
  assert.deepEqual(sharedDataDirectories(join(folder, "nowhere")), []);
});
