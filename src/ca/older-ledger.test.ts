import assert from "node:assert/strict";
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import {
  assertRefused,
  dataDirectory,
  foldersOf,
  open,
  plugged,
  states,
  take,
  taken,
} from "../../test/kit/authority-rings.ts";
import { describeError } from "../runtime/hauberk-error.ts";

const ledgerOf = (directory: string): string => join(directory, "ca", "ledger.json");
const putBack = (directory: string, text: string): Promise<void> =>
  writeFile(ledgerOf(directory), text, { mode: 0o600 });

test("a ledger that is older than the authorities beside it is refused with the way out, and no key goes", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  const first = await readFile(ledgerOf(directory), "utf8");
  await take(ring, "prepare", "activate");
  const newest = await readFile(ledgerOf(directory), "utf8");
  const folders = await foldersOf(directory);
  const signer = ring.issuer.current.id;
  await putBack(directory, first);
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(open(directory), (error) => {
      const words = new RegExp(
        `is older than the authorities beside it: it knows nothing of ${signer}; put the newest ledger back`,
      );
      return words.test(describeError(error));
    });
  assert.deepEqual(await foldersOf(directory), folders);
  await putBack(directory, newest);
  assert.deepEqual((await open(directory)).status(), ring.status());

  await putBack(directory, first);
  const aside = join(directory, "aside");
  await rename(join(directory, "ca", "authorities", signer), aside);
  const older = await open(directory);
  assert.equal(states(older), "active");
  assert.match(older.notices.join(), /an older state .* version 0, and this mesh was at 2 before/);
});

test("a ledger that names a key which a later one gave up is refused, with words", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  await take(ring, "prepare", "activate");
  const before = await readFile(ledgerOf(directory), "utf8");
  await take(ring, "revoke");
  await putBack(directory, before);
  await assert.rejects(open(directory), /is missing, but .*ledger\.json names it: .*backup/);
  assert.deepEqual(await foldersOf(directory), [ring.issuer.current.id]);
});

test("a whole folder that is put back, with an authority that was revoked, is told at the start and in the status until it is revoked again", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  const [revoked] = ring.status();
  assert.ok(revoked);
  await take(ring, "prepare", "activate", "taint");
  const backup = join(directory, "backup");
  await cp(join(directory, "ca"), backup, { recursive: true });
  await take(ring, "revoke");
  assert.ok(ring.status().every(({ returned }) => returned === undefined));
  await rm(join(directory, "ca"), { recursive: true });
  await cp(backup, join(directory, "ca"), { recursive: true });

  const back = await open(directory);
  assert.match(
    back.notices.join(),
    new RegExp(
      `an older state .*put back.*authority ${revoked.id}, which was given up, is trusted again`,
    ),
  );
  const told = back.status().find(({ id }) => id === revoked.id);
  assert.match(told?.returned ?? "", /given up before/);
  await take(back, "prepare");
  const later = await open(directory);
  assert.deepEqual(later.notices, [], "its ledger is the newest again");
  assert.ok(
    later.status().some(({ returned }) => returned !== undefined),
    "it is trusted still",
  );
  await take(later, "revoke");
  assert.ok(later.status().every(({ returned }) => returned === undefined));
});

test("who prepares an authority again that was revoked once means it", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  const custom = plugged(authorityParts());
  taken(await ring.prepare(custom));
  await take(ring, "rollback");
  taken(await ring.prepare(custom));
  assert.ok(ring.status().every(({ returned }) => returned === undefined));
  await assertRefused(ring.prepare(custom), /held already/);
});

test("a history beside the folder that is spoiled, or a pipe's, keeps nothing from starting", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  await take(ring, "prepare");
  for (const text of ["", "{", "[]", '{"version":-1,"givenUp":[3]}']) {
    await writeFile(join(directory, "authority-history.json"), text);
    assert.deepEqual((await open(directory)).status(), ring.status());
  }
});
