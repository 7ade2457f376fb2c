import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_REQUEST_TOKEN_CHARACTERS, readToken } from "./read-token.ts";
import { statusOf, TOKEN_PROBLEMS, type TokenProblem } from "./token-status.ts";

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const token = (header: unknown, payload: unknown, signature = "c2ln"): string =>
  `${encode(header)}.${encode(payload)}.${signature}`;
const GOOD = { alg: "ES256", kid: "k" };
const withPayload = (payload: unknown): string => token(GOOD, payload);

test("reads what a token says of itself", () => {
  const payload = { iss: "i", sub: "s", aud: ["a", "b"], exp: 20, nbf: 10, iat: 0, jti: "1" };
  assert.deepEqual(readToken(withPayload(payload)), {
    text: withPayload(payload),
    algorithm: "ES256",
    keyId: "k",
    payload,
    encodedPayload: encode(payload),
    issuer: "i",
    audiences: ["a", "b"],
    expiresAt: 20,
    notBefore: 10,
  });
});

test("reads a token that says as little as it may", () => {
  const read = readToken(token({ alg: "EdDSA" }, { aud: "a" }));
  assert.ok(typeof read === "object");
  const { issuer, audiences, expiresAt, notBefore, keyId } = read;
  assert.deepEqual(
    [issuer, audiences, expiresAt, notBefore, keyId],
    ["", ["a"], undefined, undefined, undefined],
  );
});

const faults: [rule: string, text: string, problem: TokenProblem][] = [
  ["JWT-48 nothing", "", "shape"],
  ["JWT-48 one section", "abc", "shape"],
  ["JWT-48 two sections", "a.b", "shape"],
  ["JWT-48 four sections", `${withPayload({})}.x`, "shape"],
  ["JWT-48 no signature", `${encode(GOOD)}.${encode({})}.`, "shape"],
  ["JWT-48 too long", withPayload({ x: "y".repeat(MAX_REQUEST_TOKEN_CHARACTERS) }), "shape"],
  ["JWT-49 header in another alphabet", `eyJ+.${encode({})}.c2ln`, "headerEncoding"],
  ["JWT-49 header padded", `${encode('{"alg":"ES256"} ')}=.${encode({})}.c2ln`, "headerEncoding"],
  ["JWT-49 header no JSON", token("{", {}), "headerJson"],
  ["JWT-49 header a list", token([], {}), "headerJson"],
  ["JWT-49 header with a name twice", token('{"alg":"none","alg":"ES256"}', {}), "headerJson"],
  ["JWT-49 payload with spaces", `${encode(GOOD)}. e30.c2ln`, "payloadEncoding"],
  ["JWT-49 payload with bits left over", `${encode(GOOD)}.e31.c2ln`, "payloadEncoding"],
  ["JWT-49 payload no JSON", withPayload("no"), "payloadJson"],
  [
    "JWT-49 payload no UTF-8",
    `${encode(GOOD)}.${Buffer.from('{"a":"\xff"}', "latin1").toString("base64url")}.c2ln`,
    "payloadJson",
  ],
  ["JWT-49 payload with a name twice", withPayload('{"sub":"a","sub":"b"}'), "payloadJson"],
  ["JWT-49 signature in another alphabet", token(GOOD, {}, "a+b/"), "signatureEncoding"],
  ["JWT-50 no alg", token({ kid: "k" }, {}), "algorithmMissing"],
  ["JWT-50 alg no text", token({ alg: 5 }, {}), "algorithmMissing"],
  ["JWT-30 alg none", token({ alg: "none" }, {}), "algorithmUnknown"],
  ["JWT-30 alg None", token({ alg: "None" }, {}), "algorithmUnknown"],
  ["JWT-30 an encryption", token({ alg: "RSA-OAEP" }, {}), "algorithmUnknown"],
  [
    "RFC 7515 4.1.11 what must be understood",
    token({ ...GOOD, crit: ["exp"] }, {}),
    "algorithmUnknown",
  ],
  ["JWT-50 kid no text", token({ alg: "ES256", kid: 1 }, {}), "keyIdType"],
  ["JWT-51 iss", withPayload({ iss: 1 }), "issuerType"],
  ["JWT-51 sub", withPayload({ sub: ["a"] }), "subjectType"],
  ["JWT-51 iat a text", withPayload({ iat: "1" }), "issuedAtType"],
  ["JWT-51 iat negative", withPayload({ iat: -1 }), "issuedAtNegative"],
  ["JWT-51 nbf a fraction", withPayload({ nbf: 1.5 }), "notBeforeType"],
  ["JWT-51 nbf negative", withPayload({ nbf: -1 }), "notBeforeNegative"],
  ["JWT-51 exp a text", withPayload({ exp: "99999999999" }), "expiryType"],
  ["JWT-51 exp beyond all", withPayload('{"exp":1e300}'), "expiryType"],
  ["JWT-51 exp null", withPayload({ exp: null }), "expiryType"],
  ["JWT-51 exp negative", withPayload({ exp: -1 }), "expiryNegative"],
  ["JWT-51 jti", withPayload({ jti: 1 }), "idType"],
  ["JWT-51 aud a number", withPayload({ aud: 1 }), "audienceType"],
  ["JWT-51 aud a list of numbers", withPayload({ aud: ["a", 1] }), "audienceType"],
];
for (const [rule, text, problem] of faults) {
  test(`${rule}: ${TOKEN_PROBLEMS[problem]}`, () => assert.equal(readToken(text), problem));
}

test("JWT-34: only an audience is 403", () => {
  const forbidden = Object.keys(TOKEN_PROBLEMS).filter(
    (problem) => statusOf(problem as TokenProblem) === 403,
  );
  assert.deepEqual(forbidden, ["audience"]);
});
