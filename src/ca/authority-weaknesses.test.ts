import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import {
  buildCertificate,
  type CertificateOptions,
  rsaKeys,
} from "../../test/kit/certificate-builder.ts";
import { findWeaknesses } from "./authority-weaknesses.ts";
import { createSelfSignedAuthority } from "./self-signed-authority.ts";

const DAY_MS = 86_400_000;
const root = buildCertificate({ subject: { organization: "Company Inc.", commonName: "Root CA" } });

function weaknessesOf(options: CertificateOptions): readonly string[] {
  const subject = { organization: "Company Inc.", commonName: "Istio CA" };
  const notAfter = new Date(Date.now() + DAY_MS);
  const signing = buildCertificate({ subject, issuer: root, notAfter, ...options });
  return findWeaknesses([signing.certificate, root.certificate]);
}

test("an authority with everything that RFC 5280 asks for has none", () => {
  assert.deepEqual(weaknessesOf({}), []);
});

test("our own self-signed authority has none", () => {
  const { certificatePem } = createSelfSignedAuthority({
    trustDomain: "cluster.local",
    now: new Date(),
  });
  assert.deepEqual(findWeaknesses([new X509Certificate(certificatePem)]), []);
});

test("the article's commands leave three: basicConstraints that are not critical, and no key identifiers", () => {
  const found = weaknessesOf({ authority: { critical: false }, keyIdentifiers: false });
  assert.equal(found.length, 3);
  for (const [index, problem] of [/4\.2\.1\.9/, /4\.2\.1\.2/, /4\.2\.1\.1/].entries()) {
    assert.match(String(found[index]), problem);
    assert.match(String(found[index]), /^"O=Company Inc\., CN=Istio CA" /);
  }
});

const weak: [what: string, options: CertificateOptions, sentence: RegExp][] = [
  ["no keyUsage", { usage: false }, /no keyUsage/],
  ["no right to sign lists", { usage: ["keyCertSign"] }, /no revocation list/],
  ["the serial number 0", { serialNumber: "00" }, /serial number 0/],
  ["a negative serial number", { serialNumber: "ff" }, /negative/],
  ["a serial number of 21 bytes", { serialNumber: `01${"00".repeat(20)}` }, /21 bytes/],
  [
    "SHA-1",
    { issuer: buildCertificate({ subject: { organization: "x" }, keys: rsaKeys() }), hash: "sha1" },
    /SHA-1/,
  ],
  [
    "a life longer than its issuer's",
    { notAfter: new Date(Date.now() + 4000 * DAY_MS) },
    /longer than its issuer "O=Company Inc\., CN=Root CA"/,
  ],
  ["no organization", { subject: { commonName: "Istio CA" } }, /no organization/],
  ["an empty subject", { subject: {} }, /empty subject/],
  [
    "an extendedKeyUsage",
    { extendedUsage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"] },
    /extendedKeyUsage/,
  ],
];
for (const [what, options, sentence] of weak) {
  test(`tells of ${what}, in one sentence`, () => {
    const found = weaknessesOf(options);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(String(found[0]), sentence);
  });
}

test("a certificate of version 1 is told as such, whatever else it lacks", () => {
  assert.match(String(weaknessesOf({ version: 1 })[0]), /version 1/);
});

test("a root needs no authorityKeyIdentifier", () => {
  const bare = buildCertificate({ keyIdentifiers: false });
  assert.deepEqual(
    findWeaknesses([bare.certificate]).map((each) => /4\.2\.1\.\d/.exec(each)?.[0]),
    ["4.2.1.2"],
  );
});
