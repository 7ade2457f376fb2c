import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCertificate, ecKeys, rsaKeys } from "../../test/kit/certificate-builder.ts";
import { readSpiffeBundle } from "../../test/kit/read-spiffe-bundle.ts";
import { printSpiffeBundle } from "./spiffe-bundle.ts";

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
  const read = readSpiffeBundle(printSpiffeBundle(bundle));
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

test("no sequence and no hint is not printed", () => {
  const bare = { ...bundle, sequence: undefined, refreshHintSeconds: undefined };
  assert.doesNotMatch(printSpiffeBundle(bare), /spiffe_/);
});
