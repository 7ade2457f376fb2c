import assert from "node:assert/strict";
import { createHash, createPublicKey, type X509Certificate } from "node:crypto";
import { test } from "node:test";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { InvalidDerError } from "./der.ts";
import { issuerKeyId } from "./issuer-key-id.ts";
import { readCertificates } from "./read-certificates.ts";
import { issuerKeyIdentifier } from "./sign-certificate.ts";

const mesh = createThrowawayAuthority();
const root = buildCertificate({ subject: { organization: "Root" } });

function leafOf(text: string): X509Certificate {
  const [leaf] = readCertificates(text);
  assert.ok(leaf !== undefined);
  return leaf.certificate;
}

test("a certificate of ours names the key of whoever signed it", () => {
  const { certificateChainPem } = mesh.svid("spiffe://cluster.local/ns/shop/sa/cart");
  const signer = mesh.authority.certificate;
  const expected = Buffer.from(issuerKeyIdentifier(signer)).toString("hex");
  assert.equal(issuerKeyId(leafOf(certificateChainPem)), expected);
  assert.match(expected, /^[0-9a-f]{40}$/);
});

test("two authorities of one name have different keys, and so are told apart", () => {
  const other = createThrowawayAuthority();
  const id = "spiffe://cluster.local/ns/shop/sa/cart";
  const [ours, theirs] = [mesh, other].map(({ svid }) =>
    issuerKeyId(leafOf(svid(id).certificateChainPem)),
  );
  assert.equal(mesh.authority.certificate.subject, other.authority.certificate.subject);
  assert.notEqual(ours, theirs);
});

test("an intermediate of OpenSSL's making: SHA-1 of its key's bits (RFC 5280, 4.2.1.2)", () => {
  const below = buildCertificate({ subject: { organization: "Below" }, issuer: root });
  const info = createPublicKey(root.keyPem).export({ type: "spki", format: "der" });
  // Of P-256: 26 bytes of algorithm and BIT STRING header stand before the point.
  const expected = createHash("sha1").update(info.subarray(26)).digest("hex");
  assert.equal(issuerKeyId(below.certificate), expected);
});

test("where a certificate does not say, nothing is guessed", () => {
  const silent = buildCertificate({ issuer: root, keyIdentifiers: false });
  assert.equal(issuerKeyId(silent.certificate), undefined);
  assert.equal(issuerKeyId(buildCertificate({ version: 1 }).certificate), undefined);
});

test("what is no certificate is refused", () => {
  const { raw } = root.certificate;
  assert.throws(() => issuerKeyId({ raw: raw.subarray(0, -1) }), InvalidDerError);
  assert.throws(() => issuerKeyId({ raw: Buffer.alloc(0) }), InvalidDerError);
});
