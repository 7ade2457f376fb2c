import assert from "node:assert/strict";
import { generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { test } from "node:test";
import { readTokenKeys } from "./token-keys.ts";

const rsa = (modulusLength: number, publicExponent = 65_537): JsonWebKey =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey.export({ format: "jwk" });
const RSA_2048 = rsa(2_048);
const ec = (namedCurve: string): JsonWebKey =>
  generateKeyPairSync("ec", { namedCurve }).publicKey.export({ format: "jwk" });
const okp = (type: "ed25519" | "ed448"): JsonWebKey =>
  (type === "ed25519"
    ? generateKeyPairSync("ed25519")
    : generateKeyPairSync("ed448")
  ).publicKey.export({ format: "jwk" });
const secret = (octets: number): JsonWebKey => ({
  kty: "oct",
  k: Buffer.alloc(octets, 1).toString("base64url"),
});

const algorithmsOf = (...keys: readonly unknown[]): readonly string[] =>
  readTokenKeys(JSON.stringify({ keys })).map(({ algorithms }) => algorithms.join(" "));
const RSA = "RS256 RS384 RS512 PS256 PS384 PS512";

const cases: [what: string, keys: readonly unknown[], expected: readonly string[]][] = [
  ["RSA of 2,048 bits", [RSA_2048], [RSA]],
  ["RSA of 1,024 bits", [rsa(1_024)], []],
  ["RSA with an exponent of 3", [rsa(2_048, 3)], [RSA]],
  ["RSA with an exponent of 1", [{ ...RSA_2048, e: "AQ" }], []],
  ["RSA with an even exponent", [{ ...RSA_2048, e: "Ag" }], []],
  ["the curves of JWT-30", [ec("P-256"), ec("P-384"), ec("P-521")], ["ES256", "ES384", "ES512"]],
  ["another curve", [ec("secp256k1")], []],
  ["Ed25519, and not Ed448", [okp("ed25519"), okp("ed448")], ["EdDSA"]],
  [
    "secrets, each as long as the hash",
    [secret(31), secret(32), secret(48), secret(64)],
    ["HS256", "HS256 HS384", "HS256 HS384 HS512"],
  ],
  ["a secret that everybody knows", [secret(64), ec("P-256")], ["ES256"]],
  ["what is no key", [null, 5, "a", [], {}, { kty: "EC" }, { kty: "X", x: "" }], []],
];
for (const [what, keys, expected] of cases) {
  test(what, () => assert.deepEqual(algorithmsOf(...keys), expected));
}

test("what is no key set has no keys", () => {
  for (const text of [
    "",
    "[]",
    "{}",
    '{"keys":{}}',
    '{"keys":[],"keys":[]}',
    JSON.stringify(ec("P-256")),
  ])
    assert.deepEqual(readTokenKeys(text), []);
});

test("CVE-2017-15361: a modulus whose primes are powers of 65537", () => {
  // Of no use to sign with: only its remainders are those of the generator.
  const primes = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
  ];
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  const modulus = (65_537n ** 5n % product) + product * ((1n << 2_047n) / product + 1n);
  const n = Buffer.from(modulus.toString(16), "hex").toString("base64url");
  assert.deepEqual(algorithmsOf({ kty: "RSA", n, e: "AQAB" }), []);
  const sound = Buffer.from((modulus + 2n).toString(16), "hex").toString("base64url");
  assert.deepEqual(algorithmsOf({ kty: "RSA", n: sound, e: "AQAB" }), [RSA]);
});

test("private parts are not taken along", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [read] = readTokenKeys(JSON.stringify({ keys: [privateKey.export({ format: "jwk" })] }));
  assert.equal(read?.key.type, "public");
});
