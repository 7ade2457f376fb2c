import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildCertificate, ecKeys, rsaKeys } from "../../test/kit/certificate-builder.ts";
import { parseSpiffeBundle, printSpiffeBundle, SpiffeBundleError } from "./spiffe-bundle.ts";

const root = buildCertificate();
const rsaRoot = buildCertificate({ subject: { organization: "RSA" }, keys: rsaKeys() });
const signing = ecKeys();
const bundle = {
  x509Authorities: [root.certificate, rsaRoot.certificate],
  jwtAuthorities: new Map([["one", signing.publicKey]]),
  sequence: 7,
  refreshHintSeconds: 300,
};
const document = JSON.parse(printSpiffeBundle(bundle));
const [x509Entry, , jwtEntry] = document.keys;

test("what is printed is read again", () => {
  const read = parseSpiffeBundle(printSpiffeBundle(bundle));
  assert.deepEqual(read.x509Authorities.map(String), bundle.x509Authorities.map(String));
  assert.ok(read.jwtAuthorities.get("one")?.equals(signing.publicKey));
  assert.equal(read.sequence, 7);
  assert.equal(read.refreshHintSeconds, 300);
});

test("SPIFFE bundle 4.2: entries have use, key and one certificate, or a key id", () => {
  assert.equal(x509Entry.use, "x509-svid");
  assert.deepEqual(x509Entry.x5c, [root.certificate.raw.toString("base64")]);
  assert.equal(x509Entry.kid, undefined);
  assert.equal(jwtEntry.use, "jwt-svid");
  assert.equal(jwtEntry.kid, "one");
  assert.equal(jwtEntry.d, undefined);
  assert.equal(document.spiffe_sequence, 7);
  assert.equal(document.spiffe_refresh_hint, 300);
});

test("no sequence and no hint is neither printed nor read", () => {
  const bare = { ...bundle, sequence: undefined, refreshHintSeconds: undefined };
  assert.doesNotMatch(printSpiffeBundle(bare), /spiffe_/);
  assert.equal(parseSpiffeBundle(printSpiffeBundle(bare)).sequence, undefined);
});

test("SPIFFE bundle 4.2: other uses and unknown types of key are passed over, the same authority counts once", () => {
  const keys = [
    x509Entry,
    x509Entry,
    { ...jwtEntry, use: "wit-svid", kid: undefined },
    { kty: "LATTICE", use: "x509-svid" },
    { kty: "EC" },
  ];
  const read = parseSpiffeBundle(JSON.stringify({ keys }));
  assert.equal(read.x509Authorities.length, 1);
  assert.equal(read.jwtAuthorities.size, 0);
});

const refused: [what: string, value: unknown, problem: RegExp][] = [
  ["no keys", {}, /no list of keys/],
  ["keys that are none", { keys: [1] }, /no list of keys/],
  ["an entry without a type", { keys: [{ use: "jwt-svid" }] }, /"kty"/],
  [
    "two certificates in one entry",
    { keys: [{ ...x509Entry, x5c: [x509Entry.x5c[0], x509Entry.x5c[0]] }] },
    /one certificate/,
  ],
  ["no certificate in an entry", { keys: [{ ...x509Entry, x5c: undefined }] }, /one certificate/],
  ["a certificate that is none", { keys: [{ ...x509Entry, x5c: ["AAAA"] }] }, /cannot be read/],
  [
    "a certificate of another key",
    { keys: [{ ...jwtEntry, use: "x509-svid", x5c: x509Entry.x5c }] },
    /another key/,
  ],
  ["a JWT key without an id", { keys: [{ ...jwtEntry, kid: "" }] }, /"kid"/],
  [
    "a point that is not on the curve",
    { keys: [{ ...jwtEntry, x: jwtEntry.y }] },
    /key of the bundle/,
  ],
  ["a sequence that is no number", { keys: [], spiffe_sequence: "7" }, /spiffe_sequence/],
  ["a negative hint", { keys: [], spiffe_refresh_hint: -1 }, /spiffe_refresh_hint/],
  ["too many keys", { keys: Array.from({ length: 257 }, () => jwtEntry) }, /257 keys/],
  ["a list", [], /not a JSON object/],
];
for (const [what, value, problem] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => parseSpiffeBundle(JSON.stringify(value)),
      (error) => error instanceof SpiffeBundleError && problem.test(error.message),
    );
  });
}

test("nothing but a bundle is read as one, and nothing else is thrown", () => {
  const text = printSpiffeBundle(bundle);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
      try {
        parseSpiffeBundle(text.slice(0, at) + put + text.slice(at + put.length));
      } catch (error) {
        assert.ok(error instanceof SpiffeBundleError);
      }
    }),
    { numRuns: 300 },
  );
});
