import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import {
  assertRefused,
  certificates,
  dataDirectory,
  foldersOf,
  intermediate,
  later,
  leafChain,
  now,
  open,
  plugged,
  states,
  take,
  taken,
} from "../../test/kit/authority-rings.ts";
import {
  buildCertificate,
  buildRevocationList,
  ecKeys,
  rsaKeys,
} from "../../test/kit/certificate-builder.ts";
import { verifyChain } from "../identity/verify-chain.ts";
import { openAuthorityRing } from "./authority-ring.ts";
import { AuthorityLedgerChangedError } from "./authority-store.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";

test("a rotation: roots first, then the signer, then the key that goes", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  const former = ring.issuer.current;
  const told: string[] = [];
  ring.trust.onChange(({ rootsPem, taintedAuthorities }) =>
    told.push(`trust ${rootsPem.length} ${taintedAuthorities.length}`),
  );
  ring.issuer.onChange((issuer) => told.push(issuer === former ? "former" : "new"));
  const prepared = taken(await ring.prepare("self-signed"));
  assert.equal(prepared.state, "prepared");
  assert.equal(taken(await ring.take("activate", { forced: false })).id, prepared.id);
  assert.equal(states(ring), "active, retiring");
  const tainted = taken(await ring.take("taint", { forced: false }));
  assert.equal(tainted.id, former.id);
  assert.deepEqual(ring.trust.current.taintedAuthorities, [tainted.keyIdentifier]);
  assert.equal(taken(await ring.take("revoke", { forced: true })).id, prepared.id);
  assert.deepEqual(told, ["trust 2 0", "new", "trust 2 1", "trust 1 0"]);
  assert.deepEqual(await foldersOf(directory), [prepared.id]);
  assert.deepEqual(
    ring.history().map(({ step, authority, forced }) => [step, authority, forced]),
    [
      ["prepare", prepared.id, false],
      ["activate", prepared.id, false],
      ["taint", former.id, false],
      ["revoke", former.id, true],
    ],
  );
  const again = await open(directory);
  assert.deepEqual(again.history(), ring.history());
  assert.deepEqual(again.status(), ring.status());
});

test("rollback: from prepared the key goes; from tainted the former one signs again, both trusted", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  const first = ring.issuer.current;
  await take(ring, "prepare", "rollback");
  assert.deepEqual(await foldersOf(directory), [first.id]);
  await take(ring, "prepare", "activate", "taint", "rollback");
  assert.equal(ring.issuer.current.id, first.id);
  assert.equal(states(ring), "active, retiring");
  assert.deepEqual(ring.trust.current.taintedAuthorities, []);
  assert.equal(ring.trust.current.rootsPem.length, 2);
});

test("CA-2, CA-58: what is issued verifies against all roots, and against its own alone", async (context) => {
  const ring = await open(await dataDirectory(context));
  const former = leafChain(ring.issuer.current);
  const [formerRoot = ""] = ring.trust.current.rootsPem;
  const parts = authorityParts();
  taken(await ring.prepare(plugged(parts)));
  await take(ring, "activate");
  const chain = leafChain(ring.issuer.current);
  assert.equal(chain.length, 2);
  const union = certificates(ring.trust.current.rootsPem);
  for (const roots of [union, union.toReversed(), [parts.root.certificate]])
    verifyChain(chain, { roots, now });
  assert.throws(() => verifyChain(chain, { roots: certificates([formerRoot]), now }));
  verifyChain(former, { roots: union, now });
  await take(ring, "revoke");
  const left = certificates(ring.trust.current.rootsPem);
  assert.throws(() => verifyChain(former, { roots: left, now }));
});

test("two of our own have one name and two keys: each leaf finds its root in any order", async (context) => {
  const ring = await open(await dataDirectory(context));
  const former = leafChain(ring.issuer.current);
  await take(ring, "prepare", "activate");
  const roots = certificates(ring.trust.current.rootsPem);
  for (const chain of [former, leafChain(ring.issuer.current)])
    for (const order of [roots, roots.toReversed()]) verifyChain(chain, { roots: order, now });
});

test("CA-46: a new intermediate below the same root changes no roots", async (context) => {
  const parts = authorityParts();
  const directory = await dataDirectory(context);
  const ring = await open(directory, { plugged: plugged(parts) });
  assert.equal(ring.status()[0]?.origin, "custom");
  const trust = ring.trust.current;
  const signing = intermediate(parts.root, "07");
  const status = taken(await ring.prepare(plugged({ root: parts.root, signing })));
  assert.equal(status.issuer, "O=Company Inc., CN=Root CA");
  assert.deepEqual(status.chainNotAfter, status.notAfter);
  await take(ring, "activate");
  assert.equal(ring.trust.current, trust, "nobody needs to be told");
  assert.equal(leafChain(ring.issuer.current)[1]?.subject, signing.certificate.subject);
});

test("a tainted authority whose key the active one has too is not told: renewals would never end", async (context) => {
  const parts = authorityParts();
  const ring = await open(await dataDirectory(context), { plugged: plugged(parts) });
  const renewed = buildCertificate({
    subject: { organization: "Company Inc.", commonName: "Istio Intermediate CA" },
    issuer: parts.root,
    keys: parts.signing,
    serialNumber: "08",
  });
  taken(await ring.prepare(plugged({ root: parts.root, signing: renewed })));
  await take(ring, "activate", "taint");
  assert.equal(states(ring), "active, tainted");
  assert.deepEqual(ring.trust.current.taintedAuthorities, []);
});

const keys: [algorithm: string, make: () => ReturnType<typeof ecKeys>][] = [
  ["ECDSA P-256", () => ecKeys("P-256")],
  ["ECDSA P-384", () => ecKeys("P-384")],
  ["RSA 2048", () => rsaKeys(2048)],
];
for (const [algorithm, make] of keys) {
  test(`an authority with a key of ${algorithm} says so, comes back from disk and signs`, async (context) => {
    const directory = await dataDirectory(context);
    const root = buildCertificate({ keys: make() });
    await open(directory, { plugged: plugged({ root, signing: root }) });
    const ring = await open(directory);
    assert.equal(ring.status()[0]?.keyAlgorithm, algorithm);
    const roots = certificates(ring.trust.current.rootsPem);
    verifyChain(leafChain(ring.issuer.current), { roots, now });
  });
}

test("the chain's end is that of the root, when the root ends first", async (context) => {
  const notAfter = new Date(Math.floor(later(2).getTime() / 1000) * 1000);
  const root = buildCertificate({ subject: { commonName: "Root" }, notAfter });
  const signing = intermediate(root, "03");
  const ring = await open(await dataDirectory(context), { plugged: plugged({ root, signing }) });
  const [status] = ring.status();
  assert.deepEqual(status?.chainNotAfter, notAfter);
  assert.ok((status?.notAfter ?? notAfter) > notAfter);
});

const notToBePrepared: [what: string, make: () => PluggedAuthority, words: RegExp][] = [
  [
    "the key of another",
    () => plugged(authorityParts(), { privateKey: ecKeys().privateKey }),
    /private key does not belong/,
  ],
  [
    "a root that did not sign it",
    () => plugged(authorityParts(), { rootsPem: [buildCertificate().pem] }),
    /is not signed by any self-signed root/,
  ],
  [
    "an expired root",
    () => {
      const root = buildCertificate({ notBefore: later(-9), notAfter: later(-1) });
      return plugged({ root, signing: intermediate(root, "04") });
    },
    /above it in its chain, expired at/,
  ],
  [
    "one that is valid later",
    () => {
      const root = buildCertificate({ notBefore: later(1) });
      return plugged({ root, signing: root });
    },
    /is valid only from/,
  ],
  [
    "what is no certificate",
    () => plugged(authorityParts(), { rootsPem: ["x"] }),
    /cannot be used/,
  ],
  ["what is no list", () => plugged(authorityParts(), { crlsPem: ["x"] }), /not PEM/],
];
for (const [what, make, words] of notToBePrepared) {
  test(`CA-45: refuses to prepare ${what}, and changes nothing`, async (context) => {
    const directory = await dataDirectory(context);
    const ring = await open(directory);
    const ledger = await readFile(join(directory, "ca", "ledger.json"), "utf8");
    await assertRefused(ring.prepare(make()), words);
    assert.equal(await readFile(join(directory, "ca", "ledger.json"), "utf8"), ledger);
    assert.equal((await foldersOf(directory)).length, 1);
  });
}

test("steps that do not fit are refused, and steps at once take turns", async (context) => {
  const ring = await open(await dataDirectory(context));
  await assertRefused(ring.take("activate", { forced: true }), /no authority is prepared/);
  const outcomes = await Promise.all([
    ring.prepare("self-signed"),
    ring.prepare("self-signed"),
    ring.take("activate", { forced: false }),
    ring.take("activate", { forced: false }),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => "refused" in outcome),
    [false, true, false, true],
  );
});

test("one that has expired since it was prepared, or is to come back, cannot sign", async (context) => {
  let at = now;
  const parts = authorityParts();
  const ring = await openAuthorityRing({
    directory: await dataDirectory(context),
    trustDomain: "cluster.local",
    clock: { now: () => at },
  });
  taken(await ring.prepare(plugged(parts)));
  at = later(2);
  await assertRefused(ring.take("activate", { forced: true }), /cannot sign: it expired at/);
  at = now;
  await take(ring, "activate", "rollback", "activate", "rollback");
  assert.equal(ring.status()[0]?.origin, "self-signed");
  at = later(2);
  await assertRefused(ring.take("activate", { forced: true }), /cannot sign: it expired at/);
});

test("a ledger that another process has changed is not overwritten", async (context) => {
  const directory = await dataDirectory(context);
  const [ring, other] = [await open(directory), await open(directory)];
  await take(other, "prepare");
  await assert.rejects(ring.prepare("self-signed"), AuthorityLedgerChangedError);
  assert.deepEqual((await open(directory)).status(), other.status());
});

test("CA-50, CA-46: lists and further roots of an authority that is held come in without a rotation", async (context) => {
  const directory = await dataDirectory(context);
  const parts = authorityParts();
  const ring = await open(directory, { plugged: plugged(parts) });
  const lists = [buildRevocationList(parts.root), buildRevocationList(parts.signing)];
  const foreign = buildCertificate();
  const rootsPem = [parts.root.pem, foreign.pem];
  taken(await ring.refresh(plugged(parts, { crlsPem: lists, rootsPem })));
  for (const one of [ring, await open(directory)]) {
    assert.deepEqual(one.trust.current.crlsPem, lists);
    assert.equal(one.trust.current.rootsPem.length, 2);
  }
  taken(await ring.refresh(plugged(parts, { crlsPem: lists })));
  for (const one of [ring, await open(directory)]) {
    assert.deepEqual(one.trust.current.crlsPem, lists);
    assert.deepEqual(one.trust.current.rootsPem.length, 1);
  }
  await assertRefused(ring.refresh(plugged(authorityParts())), /is not held: prepare it/);
});

test("CA-50: no list that is in force goes away, or back to an older one, and a new intermediate does not lift it either", async (context) => {
  const directory = await dataDirectory(context);
  const parts = authorityParts();
  const root = buildRevocationList(parts.root, { revoked: [{ serialNumber: "aa" }] });
  const listOf = (day: number): string =>
    buildRevocationList(parts.signing, { thisUpdate: later(day) });
  const ring = await open(directory, {
    plugged: plugged(parts, { crlsPem: [root, listOf(-1)] }),
  });
  const trusted = ring.trust.current;
  for (const [crlsPem, words] of [
    [[], /no list of "O=Company Inc., CN=Istio Intermediate CA"/],
    [[listOf(-1)], /no list of "O=Company Inc., CN=Root CA"/],
    [[root, listOf(-2)], /an older list of .*Intermediate CA.*than the one in force/],
  ] as const)
    await assertRefused(ring.refresh(plugged(parts, { crlsPem })), words);
  const next = intermediate(parts.root, "0b");
  const comer = { root: parts.root, signing: next };
  await assertRefused(ring.prepare(plugged(comer)), /no list of .*Root CA/);
  assert.deepEqual(ring.trust.current, trusted);
  taken(await ring.refresh(plugged(parts, { crlsPem: [root, listOf(0)] })));
  taken(await ring.prepare(plugged(comer, { crlsPem: [root, buildRevocationList(next)] })));
  const [foreignRoot] = [authorityParts("Other")];
  taken(await ring.take("rollback", { forced: false }));
  taken(await ring.prepare(plugged(foreignRoot)));
});

test("with other roots it is no refreshment", async (context) => {
  const [one, other] = [buildCertificate({ serialNumber: "05" }), buildCertificate()];
  const both = buildCertificate({ keys: one, serialNumber: "06" });
  const signing = intermediate(one, "0b");
  const ring = await open(await dataDirectory(context), {
    plugged: plugged({ root: one, signing }, { rootsPem: [one.pem, other.pem] }),
  });
  const changed = plugged({ root: one, signing }, { rootsPem: [both.pem, one.pem] });
  await assertRefused(ring.refresh(changed), /comes with other roots/);
});

test("CA-50: lists that name the authority itself are told to all where it is held, and else it is not begun with", async (context) => {
  const parts = authorityParts();
  const crlsPem = [buildRevocationList(parts.root, { revoked: [{ serialNumber: "02" }] })];
  const words = /CN=Istio Intermediate CA is revoked by .*CN=Root CA/;
  const revoked = plugged(parts, { crlsPem });
  await assert.rejects(open(await dataDirectory(context), { plugged: revoked }), words);
  const own = await open(await dataDirectory(context));
  await assertRefused(own.prepare(revoked), words);
  assert.equal(states(own), "active");

  const directory = await dataDirectory(context);
  const ring = await open(directory, { plugged: plugged(parts) });
  assert.equal(ring.status()[0]?.revoked, undefined);
  assert.match(taken(await ring.refresh(revoked)).revoked ?? "", words);
  assert.equal(ring.trust.current.crlsPem.length, 1);
  await take(ring, "prepare", "activate");
  await assertRefused(ring.take("rollback", { forced: true }), words);
  const again = await open(directory, { plugged: revoked });
  assert.equal(states(again), "active, retiring");
  await assertRefused(again.refresh(plugged(parts)), /what that names stays revoked/);
  const newer = buildRevocationList(parts.root, { thisUpdate: later(0.1) });
  const lifted = taken(await again.refresh(plugged(parts, { crlsPem: [newer] })));
  assert.equal(lifted.revoked, undefined, "it was lifted");
});
