import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatLocation } from "../api/resource.ts";
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
  const absent = join(folder, "absent");
  const { resources, issues } = await readResourceFiles([absent, folder]);
  assert.equal(resources.length, 1);
  assert.deepEqual(
    issues.map(({ source, problem }) => `${formatLocation(source)}: ${problem}`),
    [`${absent}: cannot be read: there is no such file or folder`],
    "it has no line",
  );
});

test("a pipe that nobody writes is an issue, and holds nothing up; who asks once may read one", async (context) => {
  const folder = await folderWith(context, { "a.yaml": NAMESPACE });
  execFileSync("mkfifo", [join(folder, "b.yaml")]);
  const reads = await Promise.all(Array.from({ length: 8 }, () => readResourceFiles([folder])));
  for (const { resources, issues } of reads) {
    assert.equal(resources.length, 1);
    assert.match(issues[0]?.problem ?? "", /cannot be read: is no regular file/);
  }
  const namedPipes = "read";
  const inFolder = await readResourceFiles([folder], { namedPipes });
  assert.match(inFolder.issues[0]?.problem ?? "", /cannot be read: is no regular file/);
  const pipe = join(folder, "b.yaml");
  const [{ resources, issues }] = await Promise.all([
    readResourceFiles([pipe], { namedPipes }),
    writeFile(pipe, NAMESPACE),
  ]);
  assert.deepEqual([resources.length, issues], [1, []]);
});

test("what has no end is an issue, even where a pipe would be read", async () => {
  for (const [namedPipes, problem] of [
    ["read", /cannot be read: is longer than 67108864 bytes/],
    ["refused", /cannot be read: is no regular file/],
  ] as const) {
    const { issues } = await readResourceFiles(["/dev/zero"], { namedPipes });
    assert.match(issues[0]?.problem ?? "", problem);
  }
});

test("a file that is no UTF-8 is an issue with its line, and the rest is still read", async (context) => {
  const folder = await folderWith(context, { "a.yaml": NAMESPACE });
  await writeFile(join(folder, "b.yaml"), Buffer.from(`${NAMESPACE}# \xe4\n`, "latin1"));
  const { resources, issues } = await readResourceFiles([folder]);
  assert.equal(resources.length, 1);
  assert.deepEqual(
    issues.map(({ source, problem }) => `${formatLocation(source)} ${problem}`),
    [`${join(folder, "b.yaml")}:5 is no UTF-8; expected text in UTF-8`],
  );
});

test("a folder without resources is an issue: it is most likely the wrong one", async (context) => {
  const folder = await folderWith(context, { "notes.txt": "" });
  const { issues } = await readResourceFiles([folder]);
  assert.match(issues[0]?.problem ?? "", /the folder has no YAML or JSON file/);
});
