import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, SubjectAlternativeName } from "@peculiar/asn1-x509";
import fc from "fast-check";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { alternativeNames, readCertificateExtensions } from "./certificate-extensions.ts";
import { InvalidDerError, readDer, readObjectIdentifier } from "./der.ts";

const mesh = createThrowawayAuthority();
const leaf = new X509Certificate(
  mesh.svid("spiffe://cluster.local/ns/shop/sa/cart").certificateChainPem,
);

const refused: [what: string, hex: string, problem: RegExp][] = [
  ["nothing", "", /cut short/],
  ["a tag alone", "30", /cut short/],
  ["contents that are missing", "040301", /cut short/],
  ["a byte too many", "04010100", /trailing/],
  ["an indefinite length", "30800000", /indefinite/],
  ["a length padded by its form", "04810101", /shortest/],
  ["a length padded by a zero", `04820080${"00".repeat(128)}`, /shortest/],
  ["a length of four bytes", "048400000001aa", /too large/],
  ["a tag of two bytes", "1f8101", /more than one byte/],
];
for (const [what, hex, problem] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => readDer(Buffer.from(hex, "hex")),
      (error) => error instanceof InvalidDerError && problem.test(error.message),
    );
  });
}

for (const [hex, dotted] of [
  ["0603551d11", "2.5.29.17"],
  ["06092a864886f70d01090e", "1.2.840.113549.1.9.14"],
  ["0603883703", "2.999.3"],
] as const) {
  test(`reads ${dotted}`, () => {
    assert.equal(readObjectIdentifier(readDer(Buffer.from(hex, "hex"))), dotted);
  });
}
for (const hex of ["0600", "060180", "06028003", "06025580", "0609ffffffffffffffff7f"]) {
  test(`refuses the object identifier ${hex}`, () => {
    assert.throws(() => readObjectIdentifier(readDer(Buffer.from(hex, "hex"))), InvalidDerError);
  });
}

/** Names as an independent reader sees them. */
function namesByOracle(der: Buffer): string[] {
  const { extensions = [] } = AsnConvert.parse(der, Certificate).tbsCertificate;
  return Array.from(extensions)
    .filter(({ extnID }) => extnID === "2.5.29.17")
    .flatMap(({ extnValue }) => [...AsnConvert.parse(extnValue, SubjectAlternativeName)])
    .flatMap(({ uniformResourceIdentifier: uri }) => (uri === undefined ? [] : [uri]));
}

function namesByUs(der: Buffer): string[] {
  return alternativeNames(readCertificateExtensions(der))
    .filter(({ kind }) => kind === "uri")
    .map(({ value }) => value);
}

test("whoever can read a changed certificate reads the same names in it", () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.nat(leaf.raw.length - 1), fc.nat(255), (index, byte) => {
      const changed = Buffer.from(leaf.raw);
      changed[index] = byte;
      const ours = unlessRefused(() => namesByUs(changed), InvalidDerError);
      const theirs = unlessRefused(() => namesByOracle(changed), Error);
      const text = unlessRefused(() => new X509Certificate(changed).subjectAltName ?? "", Error);
      if (ours === undefined || text === undefined || !isPlain(text)) return;
      assert.deepEqual(ours, namesByText(text));
      if (theirs !== undefined) assert.deepEqual(ours, theirs);
      compared++;
    }),
    { numRuns: 1_500 },
  );
  assert.ok(compared > 300, `only ${compared} were readable`);
});

function unlessRefused<T>(read: () => T, Refusal: new () => Error): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return undefined;
  }
}

/** OpenSSL's text form is unambiguous only without quotes and separators; that is why it is not used. */
function isPlain(names: string): boolean {
  return names === "" || /^[A-Za-z ]+:[!#-+\--~]*$/.test(names);
}

function namesByText(names: string): string[] {
  return names.startsWith("URI:") ? [names.slice("URI:".length)] : [];
}

test("any bytes are read or refused, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => readCertificateExtensions(Buffer.from(bytes)), InvalidDerError);
    }),
  );
});
