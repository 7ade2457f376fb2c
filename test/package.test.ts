/** What `npm pack` takes along: nothing that the scripts of examples make, which is keys. npm heeds no .gitignore for what `files` names. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

test("the package has the examples' own files, and none that their scripts made", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-package-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp("package.json", join(folder, "package.json"));
  const made = [...(await ignoredInExamples()), "examples/egress/.hauberk/ca/root-key.pem"];
  const own = ["examples/egress/certificates.sh", "examples/ingress/gateway.yaml"];
  for (const path of [...made, ...own]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), "x");
  }
  const packed = await packedFiles(folder);
  assert.deepEqual(packed.filter((path) => path.startsWith("examples/")).sort(), own);
});

/** One file for each pattern of .gitignore. */
async function ignoredInExamples(): Promise<readonly string[]> {
  const lines = (await readFile(".gitignore", "utf8")).split("\n");
  const patterns = lines.filter((line) => line.startsWith("examples/"));
  assert.ok(patterns.length > 0);
  return patterns.map((pattern) => pattern.replaceAll("*", "made"));
}

async function packedFiles(folder: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(
    "npm",
    ["pack", "--dry-run", "--ignore-scripts", "--json"],
    { cwd: folder },
  );
  const [packed] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
  return packed.files.map(({ path }) => path);
}
