import assert from "node:assert/strict";
import { createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { type JWTPayload, SignJWT } from "jose";
import { claimsProblem, signatureProblem, type TokenDemands } from "./check-token.ts";
import { readToken, type TokenAlgorithm } from "./read-token.ts";
import { readTokenKeys } from "./token-keys.ts";
import type { TokenProblem } from "./token-status.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const SECONDS = NOW.getTime() / 1_000;

interface Signer {
  readonly jwk: object;
  readonly sign: (payload: JWTPayload, header?: object) => Promise<string>;
}

/** One of each kind: they take long to make. */
const PAIRS = {
  RS: generateKeyPairSync("rsa", { modulusLength: 2_048 }),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ES512: generateKeyPairSync("ec", { namedCurve: "P-521" }),
  EdDSA: generateKeyPairSync("ed25519"),
};
const SECRET = createSecretKey(Buffer.alloc(64, 7));

function keysFor(alg: TokenAlgorithm): {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
} {
  switch (alg) {
    case "ES256":
    case "ES384":
    case "ES512":
    case "EdDSA":
      return PAIRS[alg];
    case "HS256":
    case "HS384":
    case "HS512":
      return { publicKey: SECRET, privateKey: SECRET };
    default:
      return PAIRS.RS;
  }
}

function signer(
  alg: TokenAlgorithm,
  labels: object = { alg },
  { publicKey, privateKey } = keysFor(alg),
): Signer {
  return {
    jwk: { ...publicKey.export({ format: "jwk" }), ...labels },
    sign: (payload, header = {}) =>
      new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(privateKey),
  };
}

const demands = (...signers: readonly Signer[]): TokenDemands => ({
  issuer: "https://issuer.example",
  audiences: [],
  keys: readTokenKeys(JSON.stringify({ keys: signers.map(({ jwk }) => jwk) })),
});

async function problemOf(text: string, asked: TokenDemands): Promise<TokenProblem | undefined> {
  const token = readToken(text);
  if (typeof token === "string") return token;
  return claimsProblem(token, asked, NOW) ?? signatureProblem(token, asked.keys);
}

const ISS = "https://issuer.example";
const es256 = signer("ES256");

const ALGORITHMS: readonly TokenAlgorithm[] = [
  ...(["ES256", "ES384", "ES512", "RS256", "RS384", "RS512"] as const),
  ...(["PS256", "PS384", "PS512", "EdDSA", "HS256", "HS384", "HS512"] as const),
];
for (const algorithm of ALGORITHMS) {
  test(`JWT-30: ${algorithm} verifies, and fails when one bit of the signature is another`, async () => {
    const one = signer(algorithm);
    const text = await one.sign({ iss: ISS });
    assert.equal(await problemOf(text, demands(one)), undefined);
    const [header, payload, signature = ""] = text.split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
    const forged = `${header}.${payload}.${bytes.toString("base64url")}`;
    assert.equal(await problemOf(forged, demands(one)), "signature");
  });
}

const claims: [
  rule: string,
  payload: JWTPayload,
  changes: Partial<TokenDemands>,
  problem: TokenProblem | undefined,
][] = [
  ["JWT-18 another issuer", { iss: `${ISS}/` }, {}, "unknownIssuer"],
  ["JWT-40 no issuer", {}, {}, "unknownIssuer"],
  ["JWT-17 any issuer", { iss: "x" }, { issuer: "" }, undefined],
  ["JWT-32 without exp", { iss: ISS }, {}, undefined],
  ["JWT-32 expired 60 s ago", { iss: ISS, exp: SECONDS - 60 }, {}, undefined],
  ["JWT-42 expired 61 s ago", { iss: ISS, exp: SECONDS - 61 }, {}, "expired"],
  ["JWT-32 valid in 60 s", { iss: ISS, nbf: SECONDS + 60 }, {}, undefined],
  ["JWT-43 valid in 61 s", { iss: ISS, nbf: SECONDS + 61 }, {}, "notYetValid"],
  ["JWT-33 no audience demanded", { iss: ISS, aud: "x" }, {}, undefined],
  [
    "JWT-33 one of the audiences",
    { iss: ISS, aud: ["x", "a"] },
    { audiences: ["a", "b"] },
    undefined,
  ],
  [
    "JWT-33 scheme and slash do not count",
    { iss: ISS, aud: "http://a" },
    { audiences: ["https://a/"] },
    undefined,
  ],
  ["JWT-44 none of the audiences", { iss: ISS, aud: "x" }, { audiences: ["a"] }, "audience"],
  ["JWT-44 no audience", { iss: ISS }, { audiences: ["a"] }, "audience"],
  ["JWT-47 keys not fetched", { iss: ISS }, { keys: undefined }, "keysNotFetched"],
  ["JWT-52 no key", { iss: ISS }, { keys: [] }, "noValidKey"],
];
for (const [rule, payload, changes, problem] of claims) {
  test(rule, async () => {
    const text = await es256.sign(payload);
    assert.equal(await problemOf(text, { ...demands(es256), ...changes }), problem);
  });
}

test("JWT-31: kids must match where both have one; without one all fitting keys are tried", async () => {
  const newPair = (): typeof PAIRS.ES256 => generateKeyPairSync("ec", { namedCurve: "P-256" });
  const one = signer("ES256", { kid: "one" }, newPair());
  const other = signer("ES256", { kid: "other" }, newPair());
  const both = demands(one, other);
  const named = (kid: string): object => ({ kid });
  assert.equal(await problemOf(await other.sign({ iss: ISS }, named("other")), both), undefined);
  assert.equal(await problemOf(await other.sign({ iss: ISS }, named("one")), both), "signature");
  assert.equal(await problemOf(await other.sign({ iss: ISS }, named("third")), both), "noKey");
  assert.equal(await problemOf(await other.sign({ iss: ISS }), both), undefined);
  assert.equal(await problemOf(await es256.sign({ iss: ISS }), both), "signature");
});

test("JWT-30: a public RSA key is no secret", async () => {
  const rsa = signer("RS256", {});
  const jwk = JSON.stringify(rsa.jwk);
  const forged = await new SignJWT({ iss: ISS })
    .setProtectedHeader({ alg: "HS256" })
    .sign(Buffer.from(jwk));
  assert.equal(await problemOf(forged, demands(rsa)), "noKey");
});

test("an issuer's word on a key binds it: algorithm, use, operations", async () => {
  const labels: [object, TokenProblem | undefined][] = [
    [{}, undefined],
    [{ alg: "PS256" }, "noKey"],
    [{ use: "sig" }, undefined],
    [{ use: "enc" }, "noValidKey"],
    [{ key_ops: ["verify"] }, undefined],
    [{ key_ops: ["encrypt"] }, "noValidKey"],
    [{ alg: "ES521" }, "noValidKey"],
    [{ kid: 5 }, "noValidKey"],
  ];
  for (const [label, problem] of labels) {
    const one = signer("RS256", label);
    assert.equal(
      await problemOf(await one.sign({ iss: ISS }), demands(one)),
      problem,
      JSON.stringify(label),
    );
  }
});
