import assert from "node:assert/strict";
import { createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { JwtBundleError, parseJwtBundle, printJwtBundle } from "./jwt-bundle.ts";

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

test("what was printed is read again, in order", () => {
  const keys = new Map<string, KeyObject>([
    ["b", ec.publicKey],
    ["a", rsa.publicKey],
  ]);
  const read = parseJwtBundle(printJwtBundle(keys));
  assert.deepEqual([...read.keys()], ["b", "a"]);
  assert.ok(read.get("b")?.equals(ec.publicKey));
  assert.ok(read.get("a")?.equals(rsa.publicKey));
});

test("a bundle says what its keys are for, and holds nothing private", () => {
  const printed = printJwtBundle(new Map([["one", ec.publicKey]]));
  const { keys } = JSON.parse(printed) as { keys: Record<string, unknown>[] };
  assert.deepEqual(Object.keys(keys[0] ?? {}).sort(), ["crv", "kid", "kty", "use", "x", "y"]);
  assert.equal(keys[0]?.["use"], "jwt-svid");
});

test("keys of other uses are passed over", () => {
  const key = ec.publicKey.export({ format: "jwk" });
  const text = JSON.stringify({
    keys: [
      { use: "x509-svid", ...key },
      { kid: "k", ...key },
    ],
  });
  assert.deepEqual([...parseJwtBundle(text).keys()], ["k"]);
});

const key = ec.publicKey.export({ format: "jwk" });
const secret = createSecretKey(Buffer.from("secret")).export({ format: "jwk" });
const refused: [what: string, text: string][] = [
  ["no JSON", "{"],
  ["no object", "[]"],
  ["no list", "{}"],
  ["a key that is no object", '{"keys":[1]}'],
  ["a key without an id", JSON.stringify({ keys: [key] })],
  ["a key with an empty id", JSON.stringify({ keys: [{ kid: "", ...key }] })],
  ["a symmetric key", JSON.stringify({ keys: [{ kid: "k", ...secret }] })],
  ["a point that is not on the curve", JSON.stringify({ keys: [{ kid: "k", ...key, x: key.y }] })],
  ["too many keys", JSON.stringify({ keys: Array(65).fill({ kid: "k", ...key }) })],
  ["a text that is too long", JSON.stringify({ keys: [], filler: "a".repeat(262_144) })],
];
for (const [what, text] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(() => parseJwtBundle(text), JwtBundleError);
  });
}
