import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { DataDirectory } from "../data-directory.ts";
import {
  prepareSidecarAdmin,
  removeSidecarAdmin,
  sidecarAdminPlace,
} from "./sidecar-admin-place.ts";

/** Linux allows 107 bytes, macOS 103. */
const LONGEST_SOCKET_PATH = 103;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

const web = { namespace: "shop", name: "web-0" };

test("where all share the machine's files, the sidecar is asked where it listens", () => {
  const dataDirectory = new DataDirectory("/srv/data");
  const path = "/srv/data/pods/shop/web-0/admin/admin.sock";
  assert.deepEqual(sidecarAdminPlace(web, { dataDirectory, user: undefined }), {
    folder: dirname(path),
    path,
    sidecarPath: path,
  });
});

for (const long of ["long/".repeat(20), "ü".repeat(45)]) {
  test(`a path that is too long for a socket is another one, for each pod its own: ${long}`, () => {
    const dataDirectory = new DataDirectory(`/${long}`);
    const pods = [web, { ...web, name: "web-1" }, { ...web, namespace: "shop2" }];
    const paths = pods.map(
      (pod) => sidecarAdminPlace(pod, { dataDirectory, user: undefined }).path,
    );
    assert.equal(new Set(paths.map(dirname)).size, 3);
    for (const path of paths) assert.ok(Buffer.byteLength(path) <= LONGEST_SOCKET_PATH, path);
  });
}

for (const user of ["ordinary", "root"] as const) {
  test(`in namespaces of ${user}'s the sidecar has the folder open, however deep it is`, () => {
    const dataDirectory = new DataDirectory(`/${"long/".repeat(20)}data`);
    const {
      folder: source,
      path,
      sidecarPath,
      open,
    } = sidecarAdminPlace(web, { dataDirectory, user });
    assert.equal(source, join(dataDirectory.path, "pods/shop/web-0/admin"));
    assert.equal(path, join(source, "admin.sock"));
    assert.equal(sidecarPath, "/proc/self/fd/9/admin.sock");
    assert.deepEqual(open, { source, descriptor: 9 });
  });
}

test("the folder is closed to others, whatever it was; where the mesh is root's, it is the sidecar's", async () => {
  const place = { folder: join(folder, "one", "admin") };
  await mkdir(place.folder, { recursive: true });
  await chmod(place.folder, 0o755);
  await prepareSidecarAdmin(place, "ordinary");
  assert.equal((await stat(place.folder)).mode & 0o7777, 0o700);
  if (process.getuid?.() === 0) {
    await prepareSidecarAdmin(place, "root");
    const { mode, uid } = await stat(place.folder);
    assert.deepEqual([mode & 0o7777, uid], [0o700, 1337]);
  }
  await removeSidecarAdmin(place);
  await removeSidecarAdmin(place);
  await assert.rejects(stat(place.folder), /ENOENT/);
});

test("a link in the place of the folder is refused", async () => {
  const place = { folder: join(folder, "link") };
  await symlink(folder, place.folder);
  await assert.rejects(prepareSidecarAdmin(place, undefined), /is not a folder of this user/);
});
