import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SharedKubeconfig } from "../api-server/access/shared-kubeconfig.ts";
import { secretPlaces } from "./secret-places.ts";

/** Path below a folder of the test: a text, or the end of a link. */
type Files = Readonly<Record<string, string | { readonly link: string }>>;

async function createFiles(context: TestContext, files: Files): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "hauberk-")));
  context.after(() => rm(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    if (typeof content === "string") await writeFile(join(folder, path), content);
    else await symlink(content.link, join(folder, path));
  }
  return folder;
}

interface Case {
  readonly what: string;
  readonly files: Files;
  readonly cacerts?: string;
  /** Default: mesh. */
  readonly seen?: string;
  readonly folders?: readonly string[];
  readonly withheld?: readonly string[];
}

const AUTHORITY = {
  "ca-key.pem": "",
  "ca-cert.pem": "",
  "cert-chain.pem": "",
  "root-cert.pem": "",
};

function authorityAt(folder: string): Files {
  return Object.fromEntries(
    Object.entries(AUTHORITY).map(([name, text]) => [join(folder, name), text]),
  );
}

const CASES: readonly Case[] = [
  {
    what: "an authority in the folder of manifests",
    files: authorityAt("mesh/authorities/east"),
    cacerts: "mesh/authorities/east",
    folders: ["mesh/authorities/east"],
    withheld: ["mesh/authorities/east/ca-key.pem"],
  },
  {
    what: "an authority anywhere else",
    files: authorityAt("etc/east"),
    cacerts: "etc/east",
    folders: ["etc/east"],
  },
  {
    what: "one that is a link, and where it leads now",
    files: { ...authorityAt("keys/v2"), "keys/current": { link: "v2" } },
    cacerts: "keys/current",
    folders: ["keys/current", "keys/v2"],
  },
  {
    what: "one as Kubernetes mounts it: all its links stay in it",
    files: {
      "keys/..1/ca-key.pem": "",
      "keys/..data": { link: "..1" },
      "keys/ca-key.pem": { link: "..data/ca-key.pem" },
    },
    cacerts: "keys",
    folders: ["keys"],
  },
  {
    what: "ends of links that leave it",
    files: {
      "keys/ca-key.pem": { link: "../safe/key.pem" },
      "keys/..data": { link: "../generations/1" },
      "safe/key.pem": "",
      "generations/1/ca-key.pem": "",
    },
    cacerts: "keys",
    folders: ["keys", "generations/1"],
    withheld: ["safe/key.pem"],
  },
  {
    what: "one in the very folder of manifests: its key alone",
    files: { ...authorityAt("mesh"), "mesh/api.yaml": "" },
    cacerts: "mesh",
    withheld: ["mesh/ca-key.pem", "mesh/tls.key"],
  },
  {
    what: "an authority of another mesh in the folder of manifests: its key",
    files: authorityAt("mesh/authorities/west"),
    withheld: ["mesh/authorities/west/ca-key.pem"],
  },
  {
    what: "a key of a program's own",
    files: { "mesh/test/ca-key.pem": "", "mesh/test/ca-cert.pem": "" },
  },
  {
    what: "data directories of other meshes, that run or have ended",
    files: {
      "mesh/.hauberk-b/mesh.sock": "",
      "mesh/deep/er/data/ca/ledger.json": "{}",
      "mesh/.old/service-account/private.pem": "",
    },
    folders: ["mesh/.hauberk-b", "mesh/.old", "mesh/deep/er/data"],
  },
  {
    what: "manifests that are called as a file of a data directory",
    files: { "mesh/mesh.json": "{}", "mesh/node_modules/x/mesh.sock": "" },
  },
  {
    what: "a folder that is reached by a link",
    files: { "mesh/b/mesh.sock": "", link: { link: "mesh" } },
    seen: "link",
    folders: ["mesh/b"],
  },
];

for (const { what, files, cacerts, seen = "mesh", folders = [], withheld = [] } of CASES) {
  test(`what no container is shown: ${what}`, async (context) => {
    const folder = await createFiles(context, { "mesh/.keep": "", ...files });
    const inFolder = (path: string): string => join(folder, path);
    const found = secretPlaces([inFolder(seen)], {
      dataDirectory: { path: inFolder("data") },
      cacerts: cacerts && inFolder(cacerts),
      kubeconfigFolder: inFolder("state"),
    });
    assert.deepEqual([...found.folders].sort(), folders.map(inFolder).sort());
    assert.deepEqual([...found.files].sort(), withheld.map(inFolder).sort());
  });
}

test("a mesh of the shared kubeconfig is known wherever it is; the mesh itself is none of these", async (context) => {
  const folder = await createFiles(context, {
    "mesh/own/mesh.sock": "",
    "far/away/mesh.sock": "",
    link: { link: "far" },
  });
  const kubeconfigFolder = join(folder, "state");
  const shared = new SharedKubeconfig(kubeconfigFolder);
  const access = { server: "https://127.0.0.1:1", authorityPem: "", token: "" };
  await shared.add({ ...access, name: "own" }, join(folder, "mesh", "own"));
  await shared.add({ ...access, name: "other" }, join(folder, "link", "away"));
  const dataDirectory = { path: join(folder, "mesh", "own") };
  assert.deepEqual(secretPlaces([join(folder, "mesh")], { dataDirectory, kubeconfigFolder }), {
    folders: [join(folder, "link", "away"), join(folder, "far", "away")],
    files: [],
  });
});
