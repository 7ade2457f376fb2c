import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { yamlDocuments } from "../../../api/yaml-documents.ts";
import { type KubeconfigEntry, printKubeconfig, writeKubeconfig } from "./kubeconfig.ts";
import {
  SharedKubeconfig,
  SharedKubeconfigError,
  sharedKubeconfigFolder,
} from "./shared-kubeconfig.ts";

const entry = (name: string, port = 1): KubeconfigEntry => ({
  name,
  server: `https://127.0.0.1:${port}`,
  authorityPem: "PEM",
  token: `token-of-${name}`,
});

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

async function contexts(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8");
  return [...text.matchAll(/^- name: "(.*)"\n {2}context:/gm)].map(([, name = ""]) => name);
}

test("a kubeconfig is YAML, whatever the mesh is called", () => {
  for (const entries of [[], [entry('odd: "name" #'), entry("other")]]) {
    const [document] = yamlDocuments(printKubeconfig(entries, "other"));
    assert.deepEqual(document?.problems, []);
  }
});

test("only its user may read it", async (context) => {
  const file = join(await folder(context), "kubeconfig");
  await writeKubeconfig(file, entry("mesh"));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.match(await readFile(file, "utf8"), /current-context: "mesh"/);
});

test("meshes that start at once are all in the shared file, and leave it one by one", async (context) => {
  const path = join(await folder(context), "state");
  const names = ["a", "b", "c", "d", "e", "f"];
  await Promise.all(
    names.map((name) => new SharedKubeconfig(path).add(entry(name), `/data/${name}`)),
  );
  const shared = new SharedKubeconfig(path);
  assert.deepEqual(await contexts(shared.file), names);
  assert.equal((await stat(shared.file)).mode & 0o777, 0o600);
  await Promise.all(["a", "c", "e"].map((name) => shared.remove(name, `/data/${name}`)));
  assert.deepEqual(await contexts(shared.file), ["b", "d", "f"]);
});

test("of two with one name the later counts, and is not removed with the earlier", async (context) => {
  const shared = new SharedKubeconfig(join(await folder(context), "state"));
  await shared.add(entry("mesh", 1), "/data/one");
  await shared.add(entry("mesh", 2), "/data/two");
  await shared.remove("mesh", "/data/one");
  assert.match(await readFile(shared.file, "utf8"), /127\.0\.0\.1:2/);
  await shared.remove("mesh", "/data/two");
  assert.deepEqual(await contexts(shared.file), []);
});

test("a folder that others may enter is not used", async (context) => {
  const path = await folder(context);
  await chmod(path, 0o755);
  await assert.rejects(
    new SharedKubeconfig(path).add(entry("mesh"), "/data"),
    SharedKubeconfigError,
  );
});

test("a link to a folder is not followed, wherever it leads", async (context) => {
  const path = await folder(context);
  const [own, link] = [join(path, "own"), join(path, "link")];
  await mkdir(own, { mode: 0o700 });
  await symlink(own, link);
  const add = (folder: string): Promise<void> =>
    new SharedKubeconfig(folder).add(entry("mesh"), "/data");
  await assert.rejects(add(link), SharedKubeconfigError);
  await rm(join(own, "clusters"), { recursive: true });
  await symlink(path, join(own, "clusters"));
  await assert.rejects(add(own), SharedKubeconfigError);
});

test("the shared file is where a user's state is", () => {
  assert.equal(sharedKubeconfigFolder({ HOME: "/home/u" }), "/home/u/.local/state/hauberk");
  assert.equal(sharedKubeconfigFolder({ HOME: "/home/u", XDG_STATE_HOME: "/s" }), "/s/hauberk");
  const relative = { HOME: "/home/u", XDG_STATE_HOME: "s" };
  assert.equal(sharedKubeconfigFolder(relative), "/home/u/.local/state/hauberk");
});
