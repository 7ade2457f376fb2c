import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DataDirectory } from "../data-directory.ts";
import type { PathRewrite } from "../pods/rewrite-paths.ts";
import { ForbiddenVolumeError, volumeOf } from "./pod-enclosures.ts";

const VOLUME = { access: "read-write", origin: "pod" } as const;

test("a subPath leads nowhere but into its volume, whatever links the volume holds", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const data = new DataDirectory(join(folder, "data"));
  const root = join(data.path, "volume");
  await mkdir(root, { recursive: true });
  await mkdir(join(data.path, "ca"));
  await writeFile(join(data.path, "ca", "key.pem"), "secret");
  await symlink(join(data.path, "ca"), join(root, "link"));
  await symlink("own", join(root, "inside"));
  const place = (path: string): PathRewrite => ({
    ...VOLUME,
    from: "/mnt",
    to: join(root, path),
    root,
  });

  for (const path of ["link", "link/key.pem", "link/made", "own/../../ca"]) {
    assert.throws(() => volumeOf(place(path), data), ForbiddenVolumeError, path);
  }
  assert.equal(volumeOf(place("own/made"), data).source, join(root, "own", "made"), "made for it");
  assert.equal(volumeOf(place("inside"), data).source, join(root, "own"));
  assert.equal(volumeOf({ ...place(""), to: root }, data).source, root);
});

test("a folder of the machine that shows the data directory is refused", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const data = new DataDirectory(join(folder, "data"));
  await mkdir(join(data.path, "ca"), { recursive: true });
  await mkdir(join(folder, "other"));
  await symlink(data.path, join(folder, "link"));
  const machine = (to: string): PathRewrite => ({
    from: "/mnt",
    to,
    root: to,
    access: "read-only",
    origin: "machine",
  });
  for (const path of [folder, data.path, join(data.path, "ca"), join(folder, "link")]) {
    assert.throws(() => volumeOf(machine(path), data), ForbiddenVolumeError, path);
  }
  assert.equal(volumeOf(machine(join(folder, "other")), data).mode, "read-only");
});
