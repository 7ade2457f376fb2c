import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { WORKLOAD_API_ANNOTATION } from "../../api/own-annotations.ts";
import { DataDirectory } from "../data-directory.ts";
import {
  prepareWorkloadApi,
  removeWorkloadApi,
  workloadApiPlace,
  workloadApiProblem,
} from "./workload-api-place.ts";

/** Linux allows 107 bytes, macOS 103. */
const LONGEST_SOCKET_PATH = 103;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

const pod = (asked: string | undefined, workload: { name?: string; injected?: boolean } = {}) => ({
  workload: { namespace: "shop", name: "web-0", injected: true, ...workload },
  template: { annotations: asked === undefined ? {} : { [WORKLOAD_API_ANNOTATION]: asked } },
});

test("a pod has none unless it asks for it", () => {
  const where = { dataDirectory: new DataDirectory(folder), user: undefined };
  assert.equal(workloadApiPlace(pod(undefined), where), undefined);
  assert.equal(workloadApiPlace(pod("false"), where), undefined);
  assert.equal(workloadApiPlace(pod("true", { injected: false }), where), undefined);
});

test("where all share the machine's files, application and sidecar use the same path, for the user alone", () => {
  const where = { dataDirectory: new DataDirectory("/srv/data"), user: undefined };
  const path = "/srv/data/pods/shop/web-0/workload-api.sock";
  assert.deepEqual(workloadApiPlace(pod("true"), where), {
    settings: { path, access: "owner" },
    applicationPath: path,
  });
});

test("a path that is too long for a socket is another one, for each pod its own", () => {
  const where = { dataDirectory: new DataDirectory(`/${"long/".repeat(20)}data`), user: undefined };
  const paths = ["web-0", "web-1"].map(
    (name) => workloadApiPlace(pod("true", { name }), where)?.applicationPath ?? "",
  );
  assert.equal(new Set(paths).size, 2);
  for (const path of paths) assert.ok(path.length > 0 && path.length <= LONGEST_SOCKET_PATH, path);
});

for (const [user, access] of [
  ["ordinary", "owner"],
  ["root", "group"],
] as const) {
  test(`in namespaces of ${user}'s the containers see one folder, and the sidecar has it open`, () => {
    const where = { dataDirectory: new DataDirectory("/srv/data"), user };
    assert.deepEqual(workloadApiPlace(pod("true"), where), {
      settings: { path: "/proc/self/fd/8/workload-api.sock", access },
      applicationPath: "/run/spiffe/workload-api.sock",
      shared: { source: "/srv/data/pods/shop/web-0/workload-api", target: "/run/spiffe" },
    });
  });
}

test("the shared folder is closed to others; where the mesh is root's, it joins sidecar and application", async () => {
  const dataDirectory = new DataDirectory(folder);
  const place = workloadApiPlace(pod("true"), { dataDirectory, user: "ordinary" });
  assert.ok(place?.shared);
  await prepareWorkloadApi(place, "ordinary");
  assert.equal((await stat(place.shared.source)).mode & 0o7777, 0o700);
  if (process.getuid?.() !== 0) return;
  await prepareWorkloadApi(place, "root");
  const { mode, uid, gid } = await stat(place.shared.source);
  assert.deepEqual([mode & 0o7777, uid, gid], [0o2750, 1337, 1000]);
  const inside = join(place.shared.source, "a");
  await writeFile(inside, "");
  assert.equal((await stat(inside)).gid, 1000);
});

test("what a killed sidecar left is removed", async () => {
  const own = await mkdtemp(join(folder, "own-"));
  const settings = { path: join(own, "a.sock"), access: "owner" } as const;
  await writeFile(settings.path, "");
  await removeWorkloadApi({ settings, applicationPath: settings.path });
  await removeWorkloadApi({ settings, applicationPath: settings.path });
  assert.deepEqual(await readdir(own), []);
});

const annotations: [text: string | undefined, injected: boolean, problem: RegExp | undefined][] = [
  [undefined, false, undefined],
  ["false", false, undefined],
  ["true", true, undefined],
  ["true", false, /the pod has no sidecar to serve it/],
];
for (const [text, injected, problem] of annotations) {
  test(`the annotation ${text ?? "absent"} on a pod ${injected ? "with" : "without"} sidecar`, () => {
    const { workload, template } = pod(text, { injected });
    const found = workloadApiProblem(template, workload);
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", problem);
  });
}
