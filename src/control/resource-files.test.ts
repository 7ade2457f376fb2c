import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readResourceFiles } from "./resource-files.ts";

const NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: production\n";

async function folderWith(
  context: { after(done: () => Promise<void>): void },
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test("reads the YAML files directly in a folder, in name order, and no others", async (context) => {
  const folder = await folderWith(context, {
    "b.yml": NAMESPACE.replace("production", "b"),
    "a.yaml": NAMESPACE.replace("production", "a"),
    ".hidden.yaml": "nonsense: [",
    "notes.txt": "nonsense: [",
  });
  const { resources, issues } = await readResourceFiles([folder]);
  assert.deepEqual(issues, []);
  assert.deepEqual(
    resources.map(({ meta }) => meta.name),
    ["a", "b"],
  );
});

test("a resource written twice is an issue that names both places", async (context) => {
  const folder = await folderWith(context, { "a.yaml": NAMESPACE, "b.yaml": NAMESPACE });
  const { issues } = await readResourceFiles([folder]);
  assert.equal(issues.length, 1);
  assert.match(issues[0]?.source.file ?? "", /b\.yaml$/);
  assert.match(issues[0]?.problem ?? "", /already defined at .*a\.yaml:1/);
});

const ISTIO = "meshConfig: {trustDomain: example.org}\n";
const OWN = "hauberk: {jwks: {allowedAddresses: [127.0.0.1]}}\n";

test("the section hauberk may have a document of its own: both are one mesh configuration", async (context) => {
  const folder = await folderWith(context, { "a.yaml": OWN, "b.yaml": ISTIO });
  const { resources, issues } = await readResourceFiles([folder]);
  assert.deepEqual(issues, []);
  const [config, ...others] = resources;
  assert.ok(config?.kind === "MeshConfig" && others.length === 0);
  assert.equal(config.settings.trustDomain, "example.org");
  assert.deepEqual(config.settings.tokenKeys.allowedAddresses, ["127.0.0.1/32"]);
});

for (const [what, files] of [
  ["two of Istio's", [ISTIO, ISTIO]],
  ["two of our own", [OWN, OWN]],
  ["our own in both", [`trustDomain: example.org\n${OWN}`, OWN]],
  ["a third", [ISTIO, OWN, ISTIO]],
] as const) {
  test(`a second mesh configuration is an issue: ${what}`, async (context) => {
    const named = files.map((text, index) => [`${index}.yaml`, text] as const);
    const { issues } = await readResourceFiles([
      await folderWith(context, Object.fromEntries(named)),
    ]);
    assert.equal(issues.length, 1);
    assert.match(issues[0]?.problem ?? "", /MeshConfig is already defined at .*\.yaml:1/);
  });
}

test("a path that is not there is an issue, and the rest is still read", async (context) => {
  const folder = await folderWith(context, { "a.yaml": NAMESPACE });
  const { resources, issues } = await readResourceFiles([join(folder, "absent"), folder]);
  assert.equal(resources.length, 1);
  assert.match(issues[0]?.problem ?? "", /cannot be read: .*no such file/);
});

test("a pipe that nobody writes is an issue, and holds nothing up; who asks once may read one", async (context) => {
  const folder = await folderWith(context, { "a.yaml": NAMESPACE });
  execFileSync("mkfifo", [join(folder, "b.yaml")]);
  const reads = await Promise.all(Array.from({ length: 8 }, () => readResourceFiles([folder])));
  for (const { resources, issues } of reads) {
    assert.equal(resources.length, 1);
    assert.match(issues[0]?.problem ?? "", /cannot be read: is no regular file/);
  }
  const readText = async (): Promise<string> => NAMESPACE;
  const { issues } = await readResourceFiles([join(folder, "b.yaml")], { readText });
  assert.deepEqual(issues, []);
});

test("a folder without resources is an issue: it is most likely the wrong one", async (context) => {
  const folder = await folderWith(context, { "notes.txt": "" });
  const { issues } = await readResourceFiles([folder]);
  assert.match(issues[0]?.problem ?? "", /the folder has no YAML or JSON file/);
});
