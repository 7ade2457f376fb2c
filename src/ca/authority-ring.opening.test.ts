import assert from "node:assert/strict";
import { chmod, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import {
  certificates,
  dataDirectory,
  foldersOf,
  later,
  leafChain,
  modeOf,
  open,
  plugged,
  states,
  take,
  taken,
  writeEarlierLayout,
} from "../../test/kit/authority-rings.ts";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { issuerKeyId } from "../identity/issuer-key-id.ts";
import { verifyChain } from "../identity/verify-chain.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { AuthorityRefusedError } from "./held-authority.ts";

test("CA-40: the first start makes an authority, the next one finds it", async (context) => {
  const directory = await dataDirectory(context);
  const made = await open(directory);
  const found = await open(directory);
  assert.deepEqual(found.status(), made.status());
  assert.deepEqual(found.trust.current, made.trust.current);
  assert.deepEqual(found.notices, []);
  const [status] = made.status();
  assert.ok(status);
  assert.match(status.id, /^[0-9a-f]{16}$/);
  assert.equal(
    status.keyIdentifier,
    issuerKeyId(leafChain(made.issuer.current)[0] ?? assert.fail()),
  );
  assert.deepEqual(
    [status.state, status.origin, status.subject, status.issuer, status.keyAlgorithm],
    ["active", "self-signed", "O=cluster.local", "O=cluster.local", "ECDSA P-256"],
  );
  assert.deepEqual(status.chainNotAfter, status.notAfter);
  assert.deepEqual(status.weaknesses, []);
  const folder = join(directory, "ca", "authorities", status.id);
  assert.equal(await modeOf(join(directory, "ca")), 0o700);
  assert.equal(await modeOf(folder), 0o700);
  assert.equal(await modeOf(join(folder, "ca-key.pem")), 0o600);
  assert.equal(await modeOf(join(directory, "ca", "ledger.json")), 0o600);
});

test("several first starts at once end up with one authority, and leave no drafts", async (context) => {
  const directory = await dataDirectory(context);
  const all = await Promise.all(Array.from({ length: 8 }, () => open(directory)));
  assert.equal(new Set(all.map(({ issuer }) => issuer.current.id)).size, 1);
  assert.deepEqual(await readdir(directory), ["ca"]);
  assert.equal((await foldersOf(directory)).length, 1);
});

test("the layout of the first versions is taken over, by several starts at once too", async (context) => {
  const directory = await dataDirectory(context);
  const earlier = await writeEarlierLayout(directory);
  const rings = await Promise.all(Array.from({ length: 6 }, () => open(directory)));
  for (const ring of rings) {
    assert.equal(ring.issuer.current.certificate.fingerprint256, earlier.fingerprint256);
    assert.equal(ring.status()[0]?.origin, "self-signed");
  }
  const left = await readdir(join(directory, "ca"));
  assert.deepEqual(left.sort(), ["authorities", "ledger.json"]);
});

test("pain 28: an expired self-signed authority is replaced at the start, and that is told", async (context) => {
  const directory = await dataDirectory(context);
  const expired = (await open(directory)).issuer.current;
  const at = later(11);
  const ring = await open(directory, { at });
  assert.notEqual(ring.issuer.current.id, expired.id);
  assert.equal(states(ring), "active");
  const [notice = "", ...rest] = ring.notices;
  assert.deepEqual(rest, []);
  assert.match(
    notice,
    new RegExp(
      `${expired.id} can sign no more: it expired at .*has taken its place; its key is kept`,
    ),
  );
  const both = [ring.issuer.current.id, expired.id].toSorted();
  assert.deepEqual(await foldersOf(directory), both);
  assert.equal(ring.trust.current.rootsPem.length, 1, "the expired one is trusted no more");
  const roots = certificates(ring.trust.current.rootsPem);
  verifyChain(leafChain(ring.issuer.current, at), { roots, now: at });
  assert.deepEqual((await open(directory, { at })).notices, []);
});

test("pain 28: in place of an expired one, first what is brought, then what is prepared", async (context) => {
  const directory = await dataDirectory(context);
  const ring = await open(directory);
  const root = buildCertificate({ notAfter: later(50) });
  const prepared = taken(await ring.prepare(plugged({ root, signing: root })));
  const at = later(11);
  const own = await open(directory, { at });
  assert.equal(own.issuer.current.id, prepared.id);
  assert.equal(own.status()[0]?.origin, "custom");
  const brought = buildCertificate({ serialNumber: "0c", notAfter: later(90) });
  const other = await open(directory, {
    at: later(60),
    plugged: plugged({ root: brought, signing: brought }),
  });
  assert.equal(other.issuer.current.certificate.fingerprint256, brought.certificate.fingerprint256);
  assert.equal(other.notices.length, 1);
});

test("an expired custom authority is refused with the next step; the files stay", async (context) => {
  const directory = await dataDirectory(context);
  const parts = authorityParts();
  const before = await open(directory, { plugged: plugged(parts) });
  await assert.rejects(open(directory, { at: later(3), plugged: plugged(parts) }), (error) => {
    assert.ok(error instanceof AuthorityRefusedError);
    assert.match(
      error.message,
      /the custom authority [0-9a-f]{16} can sign no more: it expired at .*hauberk up --cacerts FOLDER/,
    );
    return true;
  });
  assert.deepEqual((await open(directory)).status(), before.status());
});

const spoiled: [
  what: string,
  spoil: (paths: { ca: string; folder: string }) => Promise<unknown>,
  problem: RegExp,
][] = [
  ["a key that others may read", ({ folder }) => chmod(join(folder, "ca-key.pem"), 0o640), /0640/],
  [
    "CA-44: a missing key",
    ({ folder }) => rm(join(folder, "ca-key.pem")),
    /incomplete.*ca-key\.pem is missing/,
  ],
  ["CA-44: a missing folder", ({ folder }) => rm(folder, { recursive: true }), /is missing/],
  [
    "CA-44: a missing ledger",
    ({ ca }) => rm(join(ca, "ledger.json")),
    /incomplete: ledger\.json is missing/,
  ],
  ["a ledger that is cut", ({ ca }) => writeFile(join(ca, "ledger.json"), "{"), /not JSON/],
  ["what is no key", ({ folder }) => writeFile(join(folder, "ca-key.pem"), "x"), /no private key/],
  [
    "CA-45: the key of another",
    ({ folder }) => writeFile(join(folder, "ca-key.pem"), buildCertificate().keyPem),
    /does not belong/,
  ],
  [
    "CA-45: a root that did not sign it",
    ({ folder }) => writeFile(join(folder, "root-cert.pem"), buildCertificate().pem),
    /not signed by any self-signed root/,
  ],
  [
    "CA-45: a certificate that is no CA's",
    async ({ folder }) => {
      const leaf = buildCertificate({ authority: false, usage: ["digitalSignature"] });
      await writeFile(join(folder, "ca-cert.pem"), leaf.pem);
      await writeFile(join(folder, "root-cert.pem"), leaf.pem);
      await writeFile(join(folder, "ca-key.pem"), leaf.keyPem);
    },
    /not a CA's/,
  ],
  [
    "another authority than the ledger names",
    async ({ folder }) => {
      const other = buildCertificate();
      await writeFile(join(folder, "ca-cert.pem"), other.pem);
      await writeFile(join(folder, "root-cert.pem"), other.pem);
      await writeFile(join(folder, "ca-key.pem"), other.keyPem);
    },
    /is another: its certificate changed/,
  ],
  [
    "what is no certificate",
    ({ folder }) => writeFile(join(folder, "ca-cert.pem"), "x"),
    /cannot be read as PEM/,
  ],
];
for (const [what, spoil, problem] of spoiled) {
  test(`refuses ${what}`, async (context) => {
    const directory = await dataDirectory(context);
    const ring = await open(directory);
    const ca = join(directory, "ca");
    await spoil({ ca, folder: join(ca, "authorities", ring.issuer.current.id) });
    await assert.rejects(open(directory), (error) => {
      assert.ok(error instanceof HauberkError, String(error));
      assert.match(describeError(error), problem);
      return true;
    });
  });
}

test("CA-44, CA-45: a spoiled layout of the first versions is refused, and nothing is deleted", async (context) => {
  for (const [name, text, problem] of [
    ["ca-key.pem", undefined, /incomplete: ca-key\.pem is missing/],
    ["ca-cert.pem", buildCertificate().pem, /is refused: .*not signed by/],
  ] as const) {
    const directory = await dataDirectory(context);
    await writeEarlierLayout(directory);
    const path = join(directory, "ca", name);
    await (text === undefined ? rm(path) : writeFile(path, text));
    const left = await readdir(join(directory, "ca"));
    await assert.rejects(open(directory), (error) => problem.test(describeError(error)));
    assert.deepEqual(await readdir(join(directory, "ca")), left);
  }
});

test("files of others in the folder are left alone", async (context) => {
  const directory = await dataDirectory(context);
  await open(directory);
  await writeFile(join(directory, "ca", "issued.jsonl"), "{}\n");
  await writeFile(join(directory, "ca", "authorities", ".DS_Store"), "");
  await take(await open(directory), "prepare", "rollback");
  assert.ok((await readdir(join(directory, "ca"))).includes("issued.jsonl"));
});
