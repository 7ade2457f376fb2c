import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { buildCertificate, type CertificateOptions } from "../../test/kit/certificate-builder.ts";
import { parseSvid } from "../../test/kit/parse-svid.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { pemBlocks, readPemFile } from "./pem-file.ts";
import { InvalidSvidError, spiffeIdOfLeaf } from "./svid-rules.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const root = buildCertificate({ subject: { organization: "Root" } });
const leafWith = (options: CertificateOptions = {}) =>
  buildCertificate({
    subject: {},
    issuer: root,
    authority: false,
    usage: ["digitalSignature", "keyEncipherment"],
    uris: [CART],
    ...options,
  });

test("a leaf by the rules names its identity", () => {
  assert.equal(spiffeIdOfLeaf(leafWith({ dnsNames: ["cart.shop"] }).certificate), CART);
});

const refused: [what: string, options: CertificateOptions, problem: RegExp][] = [
  ["CA:TRUE, even where the key may not sign certificates", { authority: {} }, /authority's own/],
  ["no digitalSignature", { usage: ["keyEncipherment"] }, /not for signatures/],
  ["no key usage at all", { usage: false }, /not for signatures/],
  ["keyCertSign", { usage: ["digitalSignature", "keyCertSign"] }, /may sign certificates/],
  ["cRLSign", { usage: ["digitalSignature", "cRLSign"] }, /may sign revocation lists/],
  ["no URI", { uris: [] }, /no URI/],
  ["two URIs", { uris: [CART, CART] }, /2 URI/],
  ["no path", { uris: ["spiffe://cluster.local"] }, /not a workload/],
  ["another scheme", { uris: ["sparfe://cluster.local/a"] }, /no identity/],
  ["version 1", { version: 1 }, /not for signatures/],
];
for (const [what, options, problem] of refused) {
  test(`X509-SVID 4: a leaf is refused for ${what}`, () => {
    assert.throws(
      () => spiffeIdOfLeaf(leafWith(options).certificate),
      (error) => error instanceof InvalidSvidError && problem.test(error.message),
    );
  });
}

test("an SVID is read from files, also when chain and key are in one", () => {
  const leaf = leafWith();
  const both = `some words\r\n${leaf.pem}${root.pem}\n${leaf.keyPem}`;
  const { id, certificates } = parseSvid({ certificates: both, privateKey: both });
  assert.equal(id, CART);
  assert.equal(certificates.length, 2);
});

test("what our own authority issues is an SVID that can be read", () => {
  const svid = createThrowawayAuthority().svid(CART);
  const read = parseSvid({
    certificates: svid.certificateChainPem,
    privateKey: svid.privateKeyPem,
  });
  assert.ok(read.certificates[0].raw.equals(new X509Certificate(svid.certificateChainPem).raw));
});

const good = leafWith();

test("PEM in files: words, other blocks and line ends of any kind stand in nobody's way", () => {
  const text = `Certificate:\n  Data: 1\n${good.pem.replaceAll("\n", "  \r\n")}\n\n${good.keyPem}`;
  assert.deepEqual(
    pemBlocks(text).map(({ label }) => label),
    ["CERTIFICATE", "PRIVATE KEY"],
  );
  assert.deepEqual(readPemFile(text, "CERTIFICATE"), [good.certificate.raw]);
  assert.deepEqual(readPemFile("nothing", "CERTIFICATE"), []);
  assert.throws(() => readPemFile(good.pem.slice(0, 90), "CERTIFICATE"), /does not end/);
});
