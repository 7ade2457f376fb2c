/** The certificate profile, read back by an implementation that is not ours. */
import assert from "node:assert/strict";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { test } from "node:test";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  type Extension,
  KeyUsage,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import fc from "fast-check";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { CertificateAuthority } from "../ca/certificate-authority.ts";
import { createSelfSignedAuthority } from "../ca/self-signed-authority.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { spiffeIdOfCertificate } from "./peer-certificate.ts";
import { issuerOf, signAuthorityCertificate, signLeafCertificate } from "./sign-certificate.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const now = new Date("2026-03-04T05:06:07.890Z");
const mesh = createThrowawayAuthority({ now });

function parse(pem: string): Certificate["tbsCertificate"] {
  return AsnConvert.parse(new X509Certificate(pem).raw, Certificate).tbsCertificate;
}

function extensionOf(body: Certificate["tbsCertificate"], name: string): Extension {
  const found = body.extensions?.filter(({ extnID }) => extnID === name) ?? [];
  assert.equal(found.length, 1, `${name} stands ${found.length} times`);
  return found[0] ?? assert.fail();
}

const bytes = (buffer: ArrayBuffer | undefined): Buffer =>
  Buffer.from(buffer ?? new ArrayBuffer(0));

const leaf = parse(mesh.svid(CART).certificateChainPem);
const root = parse(mesh.rootPem);

test("CA-15: empty subject, one URI, the extension critical", () => {
  assert.equal(leaf.subject.length, 0);
  const extension = extensionOf(leaf, "2.5.29.17");
  assert.equal(extension.critical, true);
  const names = AsnConvert.parse(extension.extnValue, SubjectAlternativeName);
  assert.deepEqual(
    Array.from(names, ({ uniformResourceIdentifier }) => uniformResourceIdentifier),
    [CART],
  );
});

test("CA-16: usages", () => {
  const usage = extensionOf(leaf, "2.5.29.15");
  assert.equal(usage.critical, true);
  const names = AsnConvert.parse(usage.extnValue, KeyUsage).toJSON();
  assert.deepEqual(names.sort(), ["digitalSignature", "keyEncipherment"]);
  const extended = AsnConvert.parse(extensionOf(leaf, "2.5.29.37").extnValue, ExtendedKeyUsage);
  assert.deepEqual(Array.from(extended), ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
});

test("CA-16: no authority, critically", () => {
  const extension = extensionOf(leaf, "2.5.29.19");
  assert.equal(extension.critical, true);
  assert.equal(AsnConvert.parse(extension.extnValue, BasicConstraints).cA, false);
});

test("CA-16: begins two minutes before it is issued, in whole seconds", () => {
  assert.equal(leaf.validity.notBefore.getTime().toISOString(), "2026-03-04T05:04:07.000Z");
  assert.equal(leaf.validity.notAfter.getTime().toISOString(), "2026-03-05T05:06:07.000Z");
});

test("the key identifiers of leaf and root fit", () => {
  const issuerKey = AsnConvert.parse(
    extensionOf(root, "2.5.29.14").extnValue,
    SubjectKeyIdentifier,
  );
  const ownKey = AsnConvert.parse(extensionOf(leaf, "2.5.29.14").extnValue, SubjectKeyIdentifier);
  const stated = AsnConvert.parse(extensionOf(leaf, "2.5.29.35").extnValue, AuthorityKeyIdentifier);
  assert.equal(bytes(issuerKey.buffer).length, 20);
  assert.deepEqual(bytes(stated.keyIdentifier?.buffer), bytes(issuerKey.buffer));
  assert.notDeepEqual(bytes(ownKey.buffer), bytes(issuerKey.buffer));
});

test("CA-20, CA-40: the root is an authority named after the trust domain, for ten years", () => {
  const constraints = extensionOf(root, "2.5.29.19");
  assert.equal(constraints.critical, true);
  assert.equal(AsnConvert.parse(constraints.extnValue, BasicConstraints).cA, true);
  const usage = AsnConvert.parse(extensionOf(root, "2.5.29.15").extnValue, KeyUsage).toJSON();
  assert.ok(usage.includes("keyCertSign"));
  assert.equal(new X509Certificate(mesh.rootPem).subject, "O=cluster.local");
  const days = (root.validity.notAfter.getTime().getTime() - now.getTime()) / 86_400_000;
  assert.equal(Math.round(days), 3650);
});

test("CA-16: serial numbers are positive, minimal, of 128 bits, and all different", () => {
  const serials = Array.from({ length: 50 }, () => mesh.svid(CART).serialNumber);
  assert.equal(new Set(serials).size, 50);
  for (const serial of serials) assert.ok(serial.length <= 32 && serial.length > 24, serial);
});

test("any serial number is written as X.509 wants it", () => {
  const publicKey = createPublicKey(createCertificateRequest().privateKeyPem);
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority({ trustDomain: "x", now });
  const rootCertificate = new X509Certificate(certificatePem);
  const issuer = issuerOf(rootCertificate, createPrivateKey(privateKeyPem));
  const names = { uris: [CART], dnsNames: [], ipAddresses: [] };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 16 }), (serialNumber) => {
      const pem = signLeafCertificate(
        { publicKey, names, serialNumber, notBefore: now, notAfter: now },
        issuer,
      );
      const written = bytes(parse(pem).serialNumber);
      const number = BigInt(`0x${Buffer.from(serialNumber).toString("hex")}`);
      assert.equal(BigInt(`0x${written.toString("hex")}`), number === 0n ? 1n : number);
      assert.ok((written[0] ?? 0) < 0x80, "negative");
      assert.ok(written.length === 1 || written[0] !== 0 || (written[1] ?? 0) >= 0x80, "padded");
    }),
    { numRuns: 40 },
  );
});

test("what is issued is what is read: parse(print(names, times)) is the same", () => {
  const publicKey = createPublicKey(createCertificateRequest().privateKeyPem);
  const segment = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const date = fc.date({
    min: new Date("2026-03-04T05:06:08Z"),
    max: new Date("2036-01-01"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(segment, segment, date, (namespace, account, end) => {
      const id = parseSpiffeId(`spiffe://cluster.local/ns/${namespace}/sa/${account}`);
      const lifetimeMs = end.getTime() - now.getTime();
      const issued = mesh.authority.issue({ publicKey, id, lifetimeMs, now });
      const certificate = new X509Certificate(issued.certificatePem);
      assert.equal(spiffeIdOfCertificate(certificate), id);
      assert.equal(new Date(certificate.validTo).getTime(), issued.notAfter.getTime());
      assert.equal(certificate.serialNumber, issued.serialNumber);
      assert.ok(certificate.publicKey.equals(publicKey));
      assert.ok(certificate.verify(mesh.authority.certificate.publicKey));
      assert.ok(certificate.checkIssued(mesh.authority.certificate));
    }),
    { numRuns: 30 },
  );
});

test("dates from 2050 on are written in the long form", () => {
  const { certificatePem } = createSelfSignedAuthority({
    trustDomain: "x",
    now: new Date("2049-12-31T23:00:00Z"),
  });
  const { notBefore, notAfter } = parse(certificatePem).validity;
  assert.ok(notBefore.utcTime !== undefined && notAfter.generalTime !== undefined);
  assert.equal(notAfter.getTime().getUTCFullYear(), 2059);
});

for (const [what, options, algorithm] of [
  ["P-384", { type: "ec", namedCurve: "P-384" }, "1.2.840.10045.4.3.3"],
  ["RSA", { type: "rsa", modulusLength: 2048 }, "1.2.840.113549.1.1.11"],
] as const) {
  test(`CA-16: the signature follows the authority's key, ${what}`, () => {
    const privateKey =
      options.type === "ec"
        ? generateKeyPairSync("ec", { namedCurve: options.namedCurve }).privateKey
        : generateKeyPairSync("rsa", { modulusLength: options.modulusLength }).privateKey;
    const certificatePem = signAuthorityCertificate(
      { serialNumber: Buffer.of(5), notBefore: now, notAfter: new Date("2030-01-01") },
      { organization: "x", privateKey },
    );
    const authority = new CertificateAuthority({
      certificatePem,
      privateKey,
      rootsPem: [certificatePem],
    });
    const issued = authority.issue({
      publicKey: createPublicKey(createCertificateRequest().privateKeyPem),
      id: parseSpiffeId(CART),
      lifetimeMs: 60_000,
      now,
    });
    const certificate = new X509Certificate(issued.certificatePem);
    const { signatureAlgorithm } = AsnConvert.parse(certificate.raw, Certificate);
    assert.equal(signatureAlgorithm.algorithm, algorithm);
    assert.ok(certificate.verify(authority.certificate.publicKey));
  });
}

test("what is joined here is what the typed library writes, byte for byte", () => {
  const rsaRoot = rsaAuthority();
  const keys = [
    generateKeyPairSync("ec", { namedCurve: "P-256" }),
    generateKeyPairSync("ec", { namedCurve: "P-384" }),
    generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ];
  const account = fc.stringMatching(/^[a-z]{1,250}$/);
  const date = fc.date({
    min: new Date("2026-03-04T05:06:08Z"),
    max: new Date("2060-01-01"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.constantFrom(mesh.authority, rsaRoot),
      fc.constantFrom("none", "identity"),
      account,
      date,
      ({ publicKey }, authority, commonName, name, end) => {
        const id = parseSpiffeId(`spiffe://cluster.local/ns/shop/sa/${name}`);
        const lifetimeMs = end.getTime() - now.getTime();
        const issued = authority.issue({ publicKey, id, lifetimeMs, now, commonName });
        const { raw } = new X509Certificate(issued.certificatePem);
        const written = AsnConvert.serialize(AsnConvert.parse(raw, Certificate));
        assert.deepEqual(Buffer.from(written), raw);
      },
    ),
    { numRuns: 60 },
  );
});

function rsaAuthority(): CertificateAuthority {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const certificatePem = signAuthorityCertificate(
    { serialNumber: Buffer.of(5), notBefore: now, notAfter: new Date("2061-01-01") },
    { organization: "Ünïcode, Inc.", privateKey },
  );
  return new CertificateAuthority({ certificatePem, privateKey, rootsPem: [certificatePem] });
}

test("the name of an authority stands in its certificates byte for byte", () => {
  const authority = rsaAuthority();
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issued = authority.issue({ publicKey, id: parseSpiffeId(CART), lifetimeMs: 60_000, now });
  assert.deepEqual(
    Buffer.from(AsnConvert.serialize(parse(issued.certificatePem).issuer)),
    Buffer.from(
      AsnConvert.serialize(
        AsnConvert.parse(authority.certificate.raw, Certificate).tbsCertificate.subject,
      ),
    ),
  );
});
