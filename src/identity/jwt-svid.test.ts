import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import {
  type JwtAuthorities,
  JwtSvidError,
  MAX_JWT_SVID_CHARACTERS,
  validateJwtSvid,
} from "./jwt-svid.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const SECONDS = NOW.getTime() / 1000;
const ID = "spiffe://example.org/ns/shop/sa/web";
const one = generateKeyPairSync("ec", { namedCurve: "P-256" });
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const BUNDLES: JwtAuthorities = new Map([
  [
    "example.org",
    new Map([
      ["one", one.publicKey],
      ["rsa", rsa.publicKey],
    ]),
  ],
  ["other.org", new Map([["other", other.publicKey]])],
]);
const CLAIMS = { sub: ID, aud: ["api"], exp: SECONDS + 60, iat: SECONDS };
const HEADER = { alg: "ES256", typ: "JWT", kid: "one" };

/** By hand, so that what no library would sign can be made too. */
function token(claims: object = {}, header: object = {}, key: KeyObject = one.privateKey): string {
  const parts = [
    { ...HEADER, ...header },
    { ...CLAIMS, ...claims },
  ].map(base64url);
  const text = parts.join(".");
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A key confusion: the public key's text as the secret of a symmetric signature. */
function signedWithPublicKey(): string {
  const text = [{ ...HEADER, alg: "HS256" }, CLAIMS].map(base64url).join(".");
  const secret = one.publicKey.export({ type: "spki", format: "pem" });
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const judge = (text: string, audience: readonly string[] | "any" = ["api"]) =>
  validateJwtSvid(text, { audience, bundles: BUNDLES, now: NOW });

test("a token of the trust domain, for us, is believed", async () => {
  const svid = await judge(token({ role: "admin" }));
  assert.equal(svid.id, ID);
  assert.deepEqual(svid.audience, ["api"]);
  assert.deepEqual(svid.expiresAt, new Date(NOW.getTime() + 60_000));
  assert.equal(svid.claims["role"], "admin");
});

const accepted: [what: string, text: string][] = [
  ["an audience that is one text", token({ aud: "api" })],
  ["one audience of several", token({ aud: ["web", "api"] })],
  ["the type JOSE", token({}, { typ: "JOSE" })],
  ["no type", token({}, { typ: undefined })],
  ["RS256", token({}, { alg: "RS256", kid: "rsa" }, rsa.privateKey)],
  ["a clock that is slightly ahead", token({ iat: SECONDS + 3, nbf: SECONDS + 3 })],
];
for (const [what, text] of accepted) {
  test(`accepted: ${what}`, async () => {
    assert.equal((await judge(text)).id, ID);
  });
}

test("any audience is for looking at one's own token", async () => {
  assert.deepEqual((await judge(token({ aud: ["elsewhere"] }), "any")).audience, ["elsewhere"]);
  await assert.rejects(judge(token({ aud: [] }), "any"), JwtSvidError);
  await assert.rejects(judge(token(), []), JwtSvidError);
});

const refused: [what: string, text: string, reason: RegExp][] = [
  ["no token", "not a token", /cannot be read/],
  ["an empty text", "", /cannot be read/],
  ["one that is too long", "a".repeat(MAX_JWT_SVID_CHARACTERS + 1), /longer than/],
  ["a payload that is no object", `${base64url(HEADER)}.${base64url([])}.AAAA`, /cannot be read/],
  ["no subject", token({ sub: undefined }), /no claim "sub"/],
  ["a subject that is no SPIFFE ID", token({ sub: "web" }), /subject is not acceptable/],
  ["no audience", token({ aud: undefined }), /"aud"/],
  ["an audience that is no text", token({ aud: ["api", 1] }), /"aud"/],
  ["another audience", token({ aud: ["web"] }), /another audience/],
  ["no end", token({ exp: undefined }), /no claim "exp"/],
  ["an end that is a text", token({ exp: String(SECONDS + 60) }), /"exp" is not a time/],
  ["an end that is now", token({ exp: SECONDS }), /has expired/],
  ["a start that is to come", token({ nbf: SECONDS + 60 }), /not valid yet/],
  ["issued in the future", token({ iat: SECONDS + 60 }), /not valid yet/],
  ["no key id", token({}, { kid: undefined }), /names no key/],
  ["a key id that nobody has", token({}, { kid: "two" }), /has no key "two"/],
  ["a foreign trust domain", token({ sub: "spiffe://nowhere.org/a" }), /no bundle/],
  ["the key of another trust domain", token({}, { kid: "other" }, other.privateKey), /has no key/],
  ["another key under a known id", token({}, {}, other.privateKey), /signature does not verify/],
  ["another type", token({}, { typ: "at+jwt" }), /type is neither/],
  ["a type in small letters", token({}, { typ: "jwt" }), /type is neither/],
  ["no signature at all", token({}, { alg: "none" }), /algorithm/],
  ["a symmetric signature", signedWithPublicKey(), /algorithm/],
  ["an algorithm that is not the key's", token({}, { alg: "RS256" }), /signature does not verify/],
  ["a critical header that nobody knows", token({}, { crit: ["x"], x: 1 }), /does not verify/],
];
for (const [what, text, reason] of refused) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(judge(text), (error: unknown) => {
      assert.ok(error instanceof JwtSvidError);
      assert.equal(error.code, "HAUBERK_JWT_SVID");
      assert.match(error.message, reason);
      const [, payload = "-"] = text.split(".");
      assert.ok(payload === "-" || !error.message.includes(payload), "it quotes the token");
      return true;
    });
  });
}

test("changing any one character of a token makes it worthless", async () => {
  const text = token();
  const flipped = (index: number): string =>
    `${text.slice(0, index)}${text[index] === "A" ? "B" : "A"}${text.slice(index + 1)}`;
  // The last character of each part has bits that are not part of it.
  for (let index = 0; index < text.length - 1; index += 7) {
    await assert.rejects(judge(flipped(index)), JwtSvidError, `position ${index}`);
  }
});
