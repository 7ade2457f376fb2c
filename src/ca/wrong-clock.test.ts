import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import {
  dataDirectory,
  foldersOf,
  later,
  now,
  open,
  plugged,
  states,
  take,
} from "../../test/kit/authority-rings.ts";
import { type OpenedAuthorityRing, openAuthorityRing } from "./authority-ring.ts";
import { AuthorityRefusedError } from "./held-authority.ts";

/** Roots of these rings live ten days. */
const AHEAD = later(14 * 365);

function ringWithClock(directory: string, clock: { at: Date }): Promise<OpenedAuthorityRing> {
  const lifetimeMs = 10 * 86_400_000;
  const told = { now: () => clock.at };
  return openAuthorityRing({ directory, trustDomain: "cluster.local", clock: told, lifetimeMs });
}

test("one start with a clock that runs years ahead harms nothing: with the clock right, the authority is as before", async (context) => {
  const directory = await dataDirectory(context);
  const before = await open(directory);
  const ahead = await open(directory, { at: AHEAD });
  assert.notEqual(ahead.issuer.current.id, before.issuer.current.id);
  for (const again of [await open(directory), await open(directory)]) {
    assert.equal(again.issuer.current.id, before.issuer.current.id);
    assert.equal(states(again), "active");
    assert.deepEqual(again.trust.current, before.trust.current);
  }
  const flapping = await open(directory, { at: AHEAD });
  assert.equal(flapping.issuer.current.id, ahead.issuer.current.id, "none is made each time");
  assert.equal((await foldersOf(directory)).length, 2);
});

test("a clock that went back is told, with what to do; nothing is changed", async (context) => {
  const directory = await dataDirectory(context);
  const before = await open(directory);
  await assert.rejects(open(directory, { at: later(-400) }), (error) => {
    assert.ok(error instanceof AuthorityRefusedError);
    assert.match(
      error.message,
      /can sign nothing yet: O=cluster.local is valid only from .*the clock says .*set the clock right.*`hauberk ca renew/,
    );
    return true;
  });
  assert.deepEqual((await open(directory)).status(), before.status());
  const custom = await dataDirectory(context);
  const brought = plugged(authorityParts());
  await open(custom, { plugged: brought });
  await assert.rejects(open(custom, { at: later(-400) }), /set the clock right.*--cacerts FOLDER/);
});

test("an authority that was made under a clock that ran ahead is replaced on demand, its trust domain kept", async (context) => {
  const directory = await dataDirectory(context);
  const early = await openAuthorityRing({
    directory,
    trustDomain: "prod.example",
    clock: { now: () => AHEAD },
  });
  await assert.rejects(open(directory), /valid only from/);
  const renewed = await openAuthorityRing({ directory, early: "replaced" });
  assert.match(renewed.notices.join(), /has taken its place; its key is kept/);
  assert.equal(renewed.status()[0]?.subject, "O=prod.example");
  assert.equal((await open(directory)).issuer.current.id, renewed.issuer.current.id);
  const nothing = await openAuthorityRing({ directory, early: "replaced" });
  assert.deepEqual(nothing.notices, []);
  assert.ok((await foldersOf(directory)).includes(early.issuer.current.id));
});

test("while it runs: a root that was made ahead of time gives way to the one before it, which was trusted all along", async (context) => {
  const clock = { at: now };
  const ring = await ringWithClock(await dataDirectory(context), clock);
  const before = ring.issuer.current.id;
  assert.equal(await ring.recover(), undefined);
  clock.at = AHEAD;
  await take(ring, "prepare", "activate");
  assert.equal(await ring.recover(), undefined, "it signs by this clock");
  const trusted = ring.trust.current.rootsPem;
  clock.at = later(1);
  const [root] = trusted;
  assert.match((await ring.recover()) ?? "", /valid only from .*has taken its place/);
  assert.deepEqual([ring.issuer.current.id, states(ring)], [before, "active"]);
  assert.deepEqual(ring.trust.current.rootsPem, [root]);
});

test("what the clock alone has ended is set aside, and comes back from there; what a person revokes is gone", async (context) => {
  const directory = await dataDirectory(context);
  const clock = { at: now };
  const ring = await ringWithClock(directory, clock);
  const before = ring.issuer.current.id;
  clock.at = AHEAD;
  await take(ring, "prepare", "activate");
  const ahead = ring.issuer.current.id;
  assert.ok(!("refused" in (await ring.take("revoke", { forced: true, revoked: "set aside" }))));
  assert.equal(ring.trust.current.rootsPem.length, 1);
  clock.at = later(1);
  assert.match((await ring.recover()) ?? "", new RegExp(before));
  assert.equal(ring.issuer.current.id, before);
  assert.deepEqual(await foldersOf(directory), [before, ahead].toSorted());
  await take(ring, "prepare", "activate", "revoke");
  assert.ok(!(await foldersOf(directory)).includes(before));
});

test("a folder of one that is set aside may be spoiled or gone: the mesh starts", async (context) => {
  const directory = await dataDirectory(context);
  const { issuer } = await open(directory);
  const ahead = await open(directory, { at: AHEAD });
  await rm(join(directory, "ca", "authorities", issuer.current.id), { recursive: true });
  assert.equal((await open(directory, { at: AHEAD })).issuer.current.id, ahead.issuer.current.id);
  await assert.rejects(open(directory), /hauberk ca renew/);
});
