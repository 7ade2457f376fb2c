/**
 * The fabric of a mesh with namespaces, on the real kernel. The tests themselves are in `fabric-inside.ts`, which must run
 * inside such namespaces: as an ordinary user, and, where we are root, as root too.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isRoot, runAs } from "./run-inside.ts";

/** Fewer would mean that some were lost on the way. */
const LEAST_TESTS = 25;
const FOLDER = "test/interop/namespaces";

for (const user of isRoot ? (["ordinary", "root"] as const) : (["ordinary"] as const)) {
  test(`the fabric holds, as ${user} user`, { timeout: 180_000 }, (context) => {
    const examined = runAs(user, { script: `${FOLDER}/examine.ts`, where: "on the host" });
    assert.equal(examined.status, 0, examined.stderr);
    if (examined.stdout !== "") {
      context.skip(`this machine does not allow it: ${examined.stdout}`);
      return;
    }
    const script = `${FOLDER}/fabric-inside.ts`;
    const { stdout, stderr, status } = runAs(user, { script, where: "inside" });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    for (const [line] of stdout.matchAll(/^figure: .*$/gm)) context.diagnostic(line);
    const count = (what: string): number =>
      Number(new RegExp(`^(?:#|ℹ) ${what} (\\d+)`, "m").exec(stdout)?.[1]);
    assert.ok(count("pass") >= LEAST_TESTS, stdout);
    assert.equal(count("skipped"), 0, stdout);
  });
}
