import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { chmod, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  authorityFiles,
  authorityFolder,
  authorityParts,
} from "../../test/kit/authority-folder.ts";
import {
  buildCertificate,
  buildRevocationList,
  ecKeys,
  rsaKeys,
} from "../../test/kit/certificate-builder.ts";
import { createCertificateRequest } from "../identity/certificate-request.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { verifyChain } from "../identity/verify-chain.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { PluggedAuthorityError } from "./plugged-authority.ts";
import { readPluggedAuthority } from "./read-plugged-authority.ts";

const now = new Date();
const DAY_MS = 86_400_000;
const parts = authorityParts();
const { root, signing } = parts;
const files = authorityFiles(parts);

test("CA-43: the four files of the article are read; the root is not sent with the chain", async (context) => {
  const read = await readPluggedAuthority(await authorityFolder(context, files), { now });
  assert.equal(read.certificatePem, signing.pem);
  assert.deepEqual(read.intermediatesPem, [signing.pem]);
  assert.deepEqual(read.rootsPem, [root.pem]);
  assert.deepEqual(read.crlsPem, []);
  assert.deepEqual(read.notes, []);
  assert.ok(createPublicKey(read.privateKey).equals(signing.publicKey));
});

test("CA-43: a Kubernetes TLS secret is read, and wins over the other files", async (context) => {
  const other = authorityParts("Other");
  const folder = await authorityFolder(context, {
    ...files,
    "tls.crt": other.signing.pem,
    "tls.key": other.signing.keyPem,
    "ca.crt": other.root.pem,
    "ca-crl.pem": "never looked at",
  });
  const read = await readPluggedAuthority(folder, { now });
  assert.equal(read.certificatePem, other.signing.pem);
  assert.deepEqual(read.rootsPem, [other.root.pem]);
});

test("a root that signs workloads itself has no certificates in between", async (context) => {
  const folder = await authorityFolder(context, {
    "ca-cert.pem": root.pem,
    "ca-key.pem": root.keyPem,
    "root-cert.pem": root.pem,
    "cert-chain.pem": "",
  });
  const read = await readPluggedAuthority(folder, { now });
  assert.deepEqual(read.intermediatesPem, []);
  assert.deepEqual(read.notes, []);
});

test("CA-58: what such an authority issues leads to its root alone, through intermediates in any order", async (context) => {
  const above = buildCertificate({ subject: { organization: "Above" }, issuer: root });
  const below = buildCertificate({ subject: { organization: "Below" }, issuer: above });
  const folder = await authorityFolder(context, {
    "ca-cert.pem": `Certificate:\n    Data:\n${below.pem}`,
    "ca-key.pem": below.keyPem,
    "root-cert.pem": root.pem,
    "cert-chain.pem": [root.pem, above.pem, below.pem, signing.pem].join("words between\r\n"),
  });
  const read = await readPluggedAuthority(folder, { now });
  assert.deepEqual(read.intermediatesPem, [below.pem, above.pem]);
  const authority = new CertificateAuthority(read);
  const issued = authority.issue({
    publicKey: createPublicKey(createCertificateRequest().privateKeyPem),
    id: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart"),
    lifetimeMs: 60_000,
    now,
  });
  const chain = issued.chainPem.map((pem) => new X509Certificate(pem));
  verifyChain(chain, { roots: [root.certificate], now });
});

for (const [what, keys] of [
  ["RSA 2048", rsaKeys()],
  ["P-384", ecKeys("P-384")],
] as const) {
  test(`an authority of ${what} is taken, its key in the older form of PEM`, async (context) => {
    const own = buildCertificate({ keys, issuer: root });
    const type = what === "P-384" ? "sec1" : "pkcs1";
    const folder = await authorityFolder(context, {
      "ca-cert.pem": own.pem,
      "ca-key.pem": own.privateKey.export({ type, format: "pem" }).toString(),
      "root-cert.pem": root.pem,
      "cert-chain.pem": own.pem,
    });
    assert.equal((await readPluggedAuthority(folder, { now })).certificatePem, own.pem);
  });
}

test("a pipe, a device or a socket in the place of a file is a problem at once; a link is not", async (context) => {
  const folder = await authorityFolder(context, files);
  for (const name of ["ca-cert.pem", "cert-chain.pem", "ca-crl.pem"]) {
    await rm(join(folder, name), { force: true });
    execFileSync("mkfifo", [join(folder, name)]);
  }
  await rm(join(folder, "root-cert.pem"));
  await symlink("/dev/zero", join(folder, "root-cert.pem"));
  const reads = Array.from({ length: 8 }, () => readPluggedAuthority(folder, { now }));
  for (const read of await Promise.allSettled(reads)) {
    assert.ok(read.status === "rejected" && read.reason instanceof PluggedAuthorityError);
    assert.deepEqual(
      read.reason.problems,
      ["ca-cert.pem", "cert-chain.pem", "root-cert.pem", "ca-crl.pem"].map(
        (name) => `${name} is no regular file`,
      ),
    );
  }
});

test("CA-50: a list that is there and empty, or cut, is a bad set; none at all is none", async (context) => {
  const folder = await authorityFolder(context, files);
  assert.deepEqual((await readPluggedAuthority(folder, { now })).crlsPem, []);
  const list = buildRevocationList(signing);
  for (const text of ["", "\n", "# no list yet", list.slice(0, list.length / 2)]) {
    await writeFile(join(folder, "ca-crl.pem"), text);
    await assert.rejects(
      readPluggedAuthority(folder, { now }),
      /ca-crl\.pem (holds no|is not PEM)/,
    );
  }
});

test("a key that others may read is told, but a folder that somebody brings is not refused for it", async (context) => {
  const folder = await authorityFolder(context, files);
  await chmod(join(folder, "ca-key.pem"), 0o644);
  const { notes } = await readPluggedAuthority(folder, { now });
  assert.match(String(notes), /^ca-key\.pem has mode 0644/);
});

test("further roots of the bundle are trusted too, and named", async (context) => {
  const ended = buildCertificate({
    subject: { organization: "Old" },
    notAfter: new Date(now.getTime() - DAY_MS),
  });
  const folder = await authorityFolder(context, {
    ...files,
    "root-cert.pem": ended.pem + root.pem + root.pem,
  });
  const read = await readPluggedAuthority(folder, { now });
  assert.deepEqual(read.rootsPem, [ended.pem, root.pem]);
  assert.match(
    String(read.notes),
    /certificate 1 of 3, "O=Old"\) is trusted beside .* and expired at/,
  );
});

const lists = {
  ofSigning: buildRevocationList(signing),
  ofRoot: buildRevocationList(root),
  ofStranger: buildRevocationList(authorityParts("Stranger").root),
};

test("CA-50: a list of every CA of the chain is taken, a stranger's is left out and said", async (context) => {
  const { ofSigning, ofRoot, ofStranger } = lists;
  const folder = await authorityFolder(context, {
    ...files,
    "ca-crl.pem": ofRoot + ofStranger + ofSigning,
  });
  const read = await readPluggedAuthority(folder, { now });
  assert.deepEqual(read.crlsPem, [ofRoot, ofSigning]);
  assert.match(String(read.notes), /^ca-crl\.pem \(list 2 of 3\) is of no CA of the chain/);
});

test("CA-50: the root needs no list when the chain does not hold it", async (context) => {
  const brought = { ...files, "cert-chain.pem": signing.pem, "ca-crl.pem": lists.ofSigning };
  const read = await readPluggedAuthority(await authorityFolder(context, brought), { now });
  assert.deepEqual(read.crlsPem, [lists.ofSigning]);
});

test("a list that is past its next update is taken, and said", async (context) => {
  const old = buildRevocationList(signing, {
    thisUpdate: new Date(now.getTime() - 2 * DAY_MS),
    nextUpdate: new Date(now.getTime() - DAY_MS),
  });
  const folder = await authorityFolder(context, { ...files, "ca-crl.pem": old + lists.ofRoot });
  assert.match(
    String((await readPluggedAuthority(folder, { now })).notes),
    /was due to be replaced at 20/,
  );
});

test("CA-50: a list that names the signing certificate itself is taken, since all must know, and said", async (context) => {
  const text = buildRevocationList(root, { revoked: [{ serialNumber: "02" }] }) + lists.ofSigning;
  const folder = await authorityFolder(context, { ...files, "ca-crl.pem": text });
  const { crlsPem, notes } = await readPluggedAuthority(folder, { now });
  assert.equal(crlsPem.length, 2);
  assert.match(String(notes), /^ca-cert\.pem is revoked by root-cert\.pem/);
});

const forged = buildRevocationList(signing, { signer: ecKeys() });
for (const [what, text, problem] of [
  [
    "CA-50: no list of the root",
    lists.ofSigning,
    /^ca-crl\.pem must hold a list that cert-chain\.pem .*"CN=Root CA|^ca-crl\.pem must hold a list that root-cert\.pem signed.*: there is none/,
  ],
  [
    "a list with a foreign signature",
    forged + lists.ofRoot,
    /^ca-crl\.pem must hold a list that ca-cert\.pem signed.*list 1 of 2\) has a signature that does not verify/,
  ],
  [
    "a list that cannot be read",
    "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
    /^ca-crl\.pem is refused/,
  ],
  ["no list in its file", root.pem, /^ca-crl\.pem holds no revocation list/],
] as const) {
  test(`refuses ${what}`, async (context) => {
    const folder = await authorityFolder(context, { ...files, "ca-crl.pem": text });
    await assert.rejects(readPluggedAuthority(folder, { now }), (error) => {
      assert.ok(error instanceof PluggedAuthorityError);
      assert.equal(error.problems.length, 1, error.message);
      assert.match(String(error.problems[0]), problem);
      return true;
    });
  });
}

test("no message holds a key", async (context) => {
  const folder = await authorityFolder(context, {
    ...files,
    "ca-key.pem": `${signing.keyPem}${root.keyPem}`,
  });
  const secret = signing.keyPem.split("\n")[1] ?? "";
  await assert.rejects(
    readPluggedAuthority(folder, { now }),
    (error) => !String(error).includes(secret),
  );
});
