import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { InvalidTokenError } from "../jwt/invalid-token-error.ts";
import { signToken, type TokenClaims } from "../jwt/sign-token.ts";
import { verifyToken } from "../jwt/verify-token.ts";
import { KeyDirectoryError } from "./key-directory.ts";
import {
  MAX_TOKEN_LIFETIME_MS,
  ServiceAccountTokens,
  ServiceAccountTokenVerifier,
  TokenLifetimeError,
} from "./service-account-tokens.ts";

const now = new Date("2026-03-04T05:06:07Z");
const MINUTE_MS = 60_000;
const ISSUER = "https://kubernetes.default.svc.cluster.local";
const bearer = {
  namespace: "shop",
  podName: "cart-0",
  podUid: "7b6c",
  serviceAccount: "cart",
};
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const tokens = new ServiceAccountTokens(privateKey);
const verifier = new ServiceAccountTokenVerifier(createPublicKey(privateKey));
const later = (ms: number): Date => new Date(now.getTime() + ms);

test("a token says whose it is, as Kubernetes says it", async () => {
  const token = await tokens.issue({ ...bearer, now, lifetimeMs: 10 * MINUTE_MS });
  assert.deepEqual(await verifier.verify(token, later(MINUTE_MS)), bearer);
  const claims = await verifyToken(token, {
    publicKey: createPublicKey(privateKey),
    issuer: ISSUER,
    audience: "istio-ca",
    now,
  });
  const seconds = now.getTime() / 1000;
  assert.deepEqual(
    { ...claims, jti: "" },
    {
      iss: ISSUER,
      sub: "system:serviceaccount:shop:cart",
      aud: ["istio-ca"],
      iat: seconds,
      nbf: seconds,
      exp: seconds + 600,
      jti: "",
      "kubernetes.io": {
        namespace: "shop",
        pod: { name: "cart-0", uid: "7b6c" },
        serviceaccount: { name: "cart" },
      },
    },
  );
});

test("two tokens are never the same", async () => {
  const request = { ...bearer, now, lifetimeMs: MINUTE_MS };
  assert.notEqual(await tokens.issue(request), await tokens.issue(request));
});

test("a lifetime beyond one hour is not issued", async () => {
  for (const lifetimeMs of [0, -1, MAX_TOKEN_LIFETIME_MS + 1, Number.NaN, Infinity])
    await assert.rejects(tokens.issue({ ...bearer, now, lifetimeMs }), TokenLifetimeError);
});

const claims: TokenClaims = {
  issuer: ISSUER,
  subject: "system:serviceaccount:shop:cart",
  audience: ["istio-ca"],
  id: "1",
  issuedAt: now,
  expiresAt: later(MINUTE_MS),
  further: {
    "kubernetes.io": {
      namespace: "shop",
      pod: { name: "cart-0", uid: "7b6c" },
      serviceaccount: { name: "cart" },
    },
  },
};

test("the claims below are good until one is changed", async () => {
  assert.deepEqual(await verifier.verify(await signToken(claims, privateKey), now), bearer);
});

const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const refused: [what: string, token: () => Promise<string>, problem: RegExp, at?: Date][] = [
  ["CA-5: another audience", () => signed({ audience: ["vault"] }), /claim "aud"/],
  ["another issuer", () => signed({ issuer: "https://evil" }), /claim "iss"/],
  ["an expired one", () => signed({}), /expired/, later(2 * MINUTE_MS)],
  ["one that is not valid yet", () => signed({}), /claim "nbf"/, later(-MINUTE_MS)],
  [
    "a lifetime that we would not issue",
    () => signed({ expiresAt: later(2 * 3_600_000) }),
    /lifetime/,
  ],
  [
    "a subject of another account",
    () => signed({ subject: "system:serviceaccount:shop:admin" }),
    /subject/,
  ],
  ["one bound to no pod", () => signed({ further: {} }), /kubernetes\.io/],
  ["another key", () => signToken(claims, other), /does not verify/],
  ["no signature", async () => `${encode({ alg: "none" })}.${encode({ sub: "x" })}.`, /ES256/],
  [
    "an algorithm of the token's choice",
    async () => `${encode({ alg: "HS256" })}.${encode({ sub: "x" })}.AAAA`,
    /ES256/,
  ],
  ["a changed payload", async () => changePayload(await signed({})), /does not verify/],
  ["what is no token", async () => "abc", /cannot be read/],
  ["what is too long", async () => "a".repeat(8_193), /longer than/],
];

function signed(changes: Partial<TokenClaims>): Promise<string> {
  return signToken({ ...claims, ...changes }, privateKey);
}

function changePayload(token: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const text = Buffer.from(payload, "base64url").toString().replace("cart-0", "cart-1");
  return [header, Buffer.from(text).toString("base64url"), signature].join(".");
}

for (const [what, token, problem, at = now] of refused) {
  test(`refuses ${what}`, async () => {
    const text = await token();
    await assert.rejects(verifier.verify(text, at), (error) => {
      assert.ok(error instanceof InvalidTokenError, String(error));
      assert.match(error.message, problem);
      assert.ok(!error.message.includes(text), "the token is in the message");
      return true;
    });
  });
}

test("the verifier needs only the public key, and both are found again", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-tokens-"));
  context.after(() => rm(directory, { recursive: true }));
  await assert.rejects(ServiceAccountTokenVerifier.open(directory), KeyDirectoryError);
  const issuer = await ServiceAccountTokens.open(directory);
  const token = await issuer.issue({ ...bearer, now, lifetimeMs: MINUTE_MS });
  const key = join(directory, "service-account", "private.pem");
  assert.equal((await stat(key)).mode & 0o777, 0o600);
  assert.deepEqual(await (await ServiceAccountTokens.open(directory)).verify(token, now), bearer);
  await chmod(key, 0o644);
  assert.deepEqual(
    await (await ServiceAccountTokenVerifier.open(directory)).verify(token, now),
    bearer,
  );
  await assert.rejects(ServiceAccountTokens.open(directory), KeyDirectoryError);
});
