import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import { dataDirectory, foldersOf, open, plugged } from "../../test/kit/authority-rings.ts";
import type { OpenedAuthorityRing } from "./authority-ring.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";

const brought = [authorityParts("One"), authorityParts("Two")].map((parts) => plugged(parts));
const anyStep = fc.oneof(
  fc.constantFrom("activate", "taint", "revoke", "rollback", "activate", "rollback"),
  fc.constantFrom("self-signed", ...brought),
);

test("law: any steps leave one active authority, the roots of those held, their folders, and the same after opening anew", async (context) => {
  const run = async (steps: readonly (string | PluggedAuthority)[]): Promise<void> => {
    const directory = await dataDirectory(context);
    const ring = await open(directory);
    for (const step of steps) {
      const before = [ring.status(), ring.history(), ring.trust.current, ring.issuer.current];
      const known = (["activate", "taint", "revoke", "rollback"] as const).find((s) => s === step);
      const outcome =
        known === undefined
          ? await ring.prepare(typeof step === "string" ? "self-signed" : step)
          : await ring.take(known, { forced: false });
      const after = [ring.status(), ring.history(), ring.trust.current, ring.issuer.current];
      if ("refused" in outcome) assert.deepEqual(after, before);
      else assert.notDeepEqual(after[1], before[1]);
      await assertConsistent(directory, ring);
    }
    await rm(directory, { recursive: true });
  };
  await fc.assert(fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), run), { numRuns: 20 });
});

async function assertConsistent(directory: string, ring: OpenedAuthorityRing): Promise<void> {
  const status = ring.status();
  assert.equal(status.filter(({ state }) => state === "active").length, 1);
  assert.equal(status[0]?.state, "active");
  assert.equal(ring.issuer.current.id, status[0].id);
  assert.deepEqual(await foldersOf(directory), status.map(({ id }) => id).toSorted());
  const again = await open(directory);
  assert.deepEqual(again.status(), status);
  assert.deepEqual(again.trust.current, ring.trust.current);
  const roots = await Promise.all(
    status.map(({ id }) =>
      readFile(join(directory, "ca", "authorities", id, "root-cert.pem"), "utf8"),
    ),
  );
  assert.deepEqual([...ring.trust.current.rootsPem].sort(), [...new Set(roots)].sort());
}
