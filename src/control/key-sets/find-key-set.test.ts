import assert from "node:assert/strict";
import { generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { test } from "node:test";
import type { TokenKeySource } from "../../policy/token-key-source.ts";
import { FetchDocumentError } from "./fetch-document.ts";
import { findKeySet } from "./find-key-set.ts";

const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PUBLIC: JsonWebKey = { ...pair.publicKey.export({ format: "jwk" }) };
const PRIVATE: JsonWebKey = { ...pair.privateKey.export({ format: "jwk" }) };
const set = (...keys: readonly unknown[]): string => JSON.stringify({ keys });

const find = (
  source: TokenKeySource,
  documents: Readonly<Record<string, string>>,
): Promise<string> =>
  findKeySet(source, async (uri) => {
    const text = documents[uri];
    if (text === undefined) throw new FetchDocumentError(`${uri} is not there`);
    return text;
  });
const uri = (at: string): TokenKeySource => ({ from: "uri", uri: at });
const issuer = (name: string): TokenKeySource => ({ from: "issuer", issuer: name });

test("JWT-80: a key set at its address", async () => {
  const found = await find(uri("https://i/keys"), { "https://i/keys": set(PUBLIC) });
  assert.deepEqual(JSON.parse(found), { keys: [PUBLIC] });
});

test("JWT-80: what the issuer tells, with or without a slash at its end", async () => {
  const documents = {
    "https://i/t/.well-known/openid-configuration": '{"jwks_uri":"https://i/keys"}',
    "https://i/keys": set(PUBLIC),
  };
  for (const name of ["https://i/t", "https://i/t/"])
    assert.deepEqual(JSON.parse(await find(issuer(name), documents)), { keys: [PUBLIC] });
});

test("JWT-87: private parts go no further", async () => {
  const found = await find(uri("https://i/keys"), { "https://i/keys": set(PRIVATE) });
  assert.deepEqual(JSON.parse(found), { keys: [PUBLIC] });
});

test("one bad key spoils no other", async () => {
  const keys = set({ kty: "EC", crv: "P-256" }, null, { kty: "PQC", x: "a" }, PUBLIC);
  const found = await find(uri("https://i/keys"), { "https://i/keys": keys });
  assert.deepEqual(JSON.parse(found), { keys: [PUBLIC] });
});

test("what no verifier reads is left out", async () => {
  const told = { ...PUBLIC, kid: "1", use: "sig", x5c: ["AAAA"], note: "x".repeat(100_000) };
  const found = await find(uri("https://i/keys"), { "https://i/keys": set(told) });
  assert.deepEqual(JSON.parse(found), { keys: [{ ...PUBLIC, kid: "1", use: "sig" }] });
});

const SECRET = { kty: "oct", k: Buffer.alloc(32, 1).toString("base64url") };
test("secrets are not fetched, only written", async () => {
  const found = await find(uri("https://i/keys"), { "https://i/keys": set(SECRET, PUBLIC) });
  assert.deepEqual(JSON.parse(found), { keys: [PUBLIC] });
});

test("OpenID Connect Discovery 4.3: whose configuration it is, when it says so", async () => {
  for (const [asked, told] of [
    ["https://i", "https://i"],
    ["https://i", "https://i/"],
    ["https://i/", "https://i"],
  ] as const) {
    const documents = {
      "https://i/.well-known/openid-configuration": JSON.stringify({
        issuer: told,
        jwks_uri: "https://j/keys",
      }),
      "https://j/keys": set(PUBLIC),
    };
    assert.deepEqual(JSON.parse(await find(issuer(asked), documents)), { keys: [PUBLIC] });
  }
});

const faults: [
  what: string,
  source: TokenKeySource,
  documents: Readonly<Record<string, string>>,
  expected: RegExp,
][] = [
  ["no JSON", uri("https://i/"), { "https://i/": "<html>" }, /is no key set/],
  [
    "another document",
    uri("https://i/"),
    { "https://i/": '{"proxyListenPort":15001}' },
    /is no key set/,
  ],
  [
    "keys that are no list",
    uri("https://i/"),
    { "https://i/": '{"keys":"nope"}' },
    /is no key set/,
  ],
  [
    "no keys",
    uri("https://i/"),
    { "https://i/": '{"keys":[]}' },
    /no key that tokens can be verified with$/,
  ],
  [
    "no good key",
    uri("https://i/"),
    { "https://i/": set({ kty: "RSA", n: "abc", e: "AQAB" }) },
    /no key that tokens can be verified with$/,
  ],
  [
    "a secret alone",
    uri("https://i/"),
    { "https://i/": set(SECRET) },
    /no key that tokens can be verified with: secrets \(oct\) are read from jwks only$/,
  ],
  [
    "more keys than sidecars should be sent",
    uri("https://i/"),
    {
      "https://i/": set(...Array.from({ length: 500 }, (_, kid) => ({ ...PUBLIC, kid: `${kid}` }))),
    },
    /bytes of keys, expected at most 65536$/,
  ],
  [
    "the discovery of another issuer",
    issuer("https://i"),
    {
      "https://i/.well-known/openid-configuration":
        '{"issuer":"https://evil","jwks_uri":"https://i/keys"}',
      "https://i/keys": set(PUBLIC),
    },
    /is of the issuer "https:\/\/evil", expected "https:\/\/i"$/,
  ],
  [
    "keys over HTTP of an issuer over HTTPS",
    issuer("https://i"),
    {
      "https://i/.well-known/openid-configuration": '{"jwks_uri":"http://i/keys"}',
      "http://i/keys": set(PUBLIC),
    },
    /leads from https to http:\/\/i\/keys$/,
  ],
  ["no discovery", issuer("https://i"), {}, /is not there$/],
  [
    "a discovery of nothing",
    issuer("https://i"),
    { "https://i/.well-known/openid-configuration": "{}" },
    /has no jwks_uri$/,
  ],
  [
    "an issuer that is no URL",
    issuer("mesh cluster"),
    {},
    /"mesh cluster" is no URL: give jwksUri or jwks$/,
  ],
];
for (const [what, source, documents, expected] of faults) {
  test(`refuses ${what}`, () => assert.rejects(find(source, documents), expected));
}
