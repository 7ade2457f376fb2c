/** What pods of an ordinary user would be let read by permissions alone: the mesh's authority, and the user's other meshes. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { authorityFiles, authorityParts, writeFiles } from "../../kit/authority-folder.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: serve}]
`;
const VOLUME = `apiVersion: apps/v1
kind: Deployment
metadata: {name: curious, namespace: shop}
spec:
  selector: {matchLabels: {app: curious}}
  template:
    metadata: {labels: {app: curious}}
    spec:
      containers:
        - {name: curious, image: serve, volumeMounts: [{name: all, mountPath: /all}]}
      volumes: [{name: all, hostPath: {path: AUTHORITIES}}]
`;

let mesh: MeshInNamespaces;
let files: string;

async function start(): Promise<void> {
  files = await mkdtemp(join(tmpdir(), "hauberk-files-"));
  const parts = authorityParts();
  for (const cluster of ["east", "west"]) {
    await mkdir(join(files, "authorities", cluster), { recursive: true });
    await writeFiles(join(files, "authorities", cluster), authorityFiles(parts));
  }
  await mkdir(join(files, ".hauberk-b", "ca"), { recursive: true });
  await writeFile(join(files, ".hauberk-b", "ca", "ledger.json"), "{}");
  await writeFile(join(files, ".hauberk-b", "kubeconfig"), "a token", { mode: 0o600 });
  await writeFile(join(files, "notes.txt"), "for pods\n");
  mesh = await MeshInNamespaces.start({
    folders: ["test/meshes/agents", files],
    texts: { "web.yaml": WEB },
    data: join("manifests", ".hauberk"),
    parameters: ["--cacerts", join("manifests", "authorities", "east")],
  });
}

describe("secrets of the user in a folder that pods see", { skip: namespacesMissing() }, () => {
  before(start, { timeout: 140_000 });
  after(async () => {
    await mesh?.remove();
    await rm(files, { recursive: true, force: true });
  });

  test("no key of an authority and nothing of another mesh is found, and other files are", async () => {
    const find = `cd ${mesh.manifests}; cat notes.txt; find . -name '*.pem' -o -path './.haub*'`;
    const { output } = await mesh.agent("shop/web-0").run("sh", "-c", find);
    const [first, ...found] = output.trim().split("\n");
    assert.equal(first, "for pods");
    assert.deepEqual(found.sort(), [
      "./.hauberk",
      "./.hauberk-b",
      ...["ca-cert", "cert-chain", "root-cert"].map((name) => `./authorities/west/${name}.pem`),
    ]);
  });

  test("what takes the place of the key later is not seen either", async () => {
    const east = join(mesh.manifests, "authorities", "east");
    await writeFile(join(east, "next.pem"), "a key", { mode: 0o644 });
    const { output } = await mesh.agent("shop/web-0").run("ls", "-A", east);
    assert.equal(output, "");
    await rm(join(east, "next.pem"));
  });

  test("a volume that would show the authority is refused", async () => {
    const path = join(mesh.manifests, "authorities");
    await assert.rejects(
      mesh.change("curious.yaml", VOLUME.replace("AUTHORITIES", path)),
      /would show \S+\/authorities\/east, which no pod may see/,
    );
  });
});
