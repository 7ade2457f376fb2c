import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { type JWTPayload, SignJWT } from "jose";
import { STANDARD_LOCATIONS, type TokenLocations } from "../api/request-authentication.ts";
import { firstParam } from "./query-params.ts";
import type { ReadToken } from "./read-token.ts";
import {
  type Authentication,
  RequestAuthenticator,
  type TokenRule,
} from "./request-authenticator.ts";
import { readTokenKeys, type TokenKey } from "./token-keys.ts";
import type { TokenBearer } from "./token-places.ts";
import { statusOf } from "./token-status.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const pairs = [1, 2].map(() => generateKeyPairSync("ec", { namedCurve: "P-256" }));
const keysOf = (index: number): readonly TokenKey[] =>
  readTokenKeys(JSON.stringify({ keys: [pairs[index]?.publicKey.export({ format: "jwk" })] }));
const [KEYS, OTHER_KEYS] = [keysOf(0), keysOf(1)];

async function signed(payload: JWTPayload, index = 0): Promise<string> {
  const { privateKey } = pairs[index] ?? assert.fail();
  return new SignJWT(payload).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
}

const rule = (changes: Partial<TokenRule> = {}): TokenRule => ({
  issuer: "i",
  audiences: [],
  keys: KEYS,
  places: STANDARD_LOCATIONS,
  presence: "OPTIONAL",
  ...changes,
});
const header = (name: string): TokenLocations => ({
  headers: [{ name, prefix: "" }],
  params: [],
  cookies: [],
});
const bearer = (fields: Readonly<Record<string, readonly string[]>>, path = "/"): TokenBearer => ({
  param: (name) => firstParam(path, name),
  values: (name) => fields[name] ?? [],
});
const authorization = (...tokens: readonly string[]): TokenBearer =>
  bearer({ authorization: tokens.map((token) => `Bearer ${token}`) });

const authenticate = async (
  rules: readonly TokenRule[],
  asked: TokenBearer,
): Promise<Authentication> =>
  new RequestAuthenticator(rules, new VerifiedTokens()).authenticate(asked, NOW);
const subjects = (outcome: Authentication): unknown =>
  outcome.result === "good"
    ? outcome.accepted.map((one) => `${one.rule} ${String(one.token.payload["sub"])}`)
    : outcome.result;

const good = await signed({ iss: "i", sub: "alice" });
const other = await signed({ iss: "j", sub: "bob" }, 1);
const forged = await signed({ iss: "i", sub: "alice" }, 1);
const expired = await signed({ iss: "i", exp: 1 });

const cases: [name: string, rules: readonly TokenRule[], asked: TokenBearer, expected: unknown][] =
  [
    ["no rules", [], authorization("x"), []],
    ["JWT-1 no token", [rule()], bearer({}), []],
    ["JWT-1 a good token", [rule()], authorization(good), ["0 alice"]],
    ["JWT-45 a forged one", [rule()], authorization(forged), "signature"],
    ["JWT-42 an expired one", [rule()], authorization(expired), "expired"],
    ["JWT-48 no token at all", [rule()], authorization("x"), "shape"],
    ["JWT-40 somebody else's", [rule()], authorization(other), "unknownIssuer"],
    [
      "JWT-7 two rules of one issuer, the second's key",
      [rule({ keys: OTHER_KEYS }), rule()],
      authorization(good),
      ["1 alice"],
    ],
    ["JWT-7 no rule's key", [rule({ keys: OTHER_KEYS })], authorization(good), "signature"],
    [
      "JWT-6 two issuers",
      [rule(), rule({ issuer: "j", keys: OTHER_KEYS })],
      authorization(other),
      ["1 bob"],
    ],
    [
      "JWT-16 all of one rule's tokens must be good",
      [rule()],
      authorization(good, forged),
      "signature",
    ],
    ["JWT-16 in whatever order", [rule()], authorization(forged, good), "signature"],
    [
      "QK-41 header and query, one bad",
      [rule()],
      bearer({ authorization: [`Bearer ${good}`] }, `/?access_token=${expired}`),
      "expired",
    ],
    [
      "QK-41 another rule's token is bad",
      [rule(), rule({ issuer: "j", places: header("x-j") })],
      bearer({ authorization: [`Bearer ${good}`], "x-j": ["bad"] }),
      ["0 alice"],
    ],
    [
      "JWT-47 keys are not there yet",
      [rule({ keys: undefined })],
      authorization(good),
      "keysNotFetched",
    ],
    ["JWT-9 required", [rule({ presence: "REQUIRED" })], bearer({}), "missing"],
    [
      "JWT-15 a place that no rule names",
      [rule({ places: header("x-t") })],
      authorization(forged),
      [],
    ],
  ];
for (const [name, rules, asked, expected] of cases) {
  test(name, async () => assert.deepEqual(subjects(await authenticate(rules, asked)), expected));
}

test("JWT-7: a rule that accepts ends it, also where another's keys never will", async () => {
  const rules = [rule({ keys: OTHER_KEYS }), rule()];
  const authenticator = new RequestAuthenticator(rules, new VerifiedTokens());
  assert.deepEqual(subjects(await authenticator.authenticate(authorization(good), NOW)), [
    "1 alice",
  ]);
  const again = authenticator.authenticate(authorization(good), NOW);
  assert.ok(!(again instanceof Promise));
  assert.deepEqual(subjects(again), ["1 alice"]);
});

test("more than 16 tokens in the places of one rule are none", async () => {
  const asked = authorization(...Array.from({ length: 17 }, () => good));
  assert.equal((await authenticate([rule()], asked)).result, "shape");
});

test("a token that was verified once is known: no promise, no signature; its times are looked at each time", async () => {
  const verified = new VerifiedTokens();
  const authenticator = new RequestAuthenticator([rule()], verified);
  const token = await signed({ iss: "i", sub: "alice", exp: NOW.getTime() / 1_000 + 10 });
  const first = authenticator.authenticate(authorization(token), NOW);
  assert.ok(first instanceof Promise);
  assert.deepEqual(subjects(await first), ["0 alice"]);
  const again = authenticator.authenticate(authorization(token), NOW);
  assert.ok(!(again instanceof Promise));
  assert.deepEqual(subjects(again), ["0 alice"]);
  const later = authenticator.authenticate(authorization(token), new Date(NOW.getTime() + 71_000));
  assert.ok(!(later instanceof Promise));
  assert.equal(later.result, "expired");
});

test("more signatures than may be under way are not looked at: 503, also where another rule would let the request pass", async () => {
  const verified = new VerifiedTokens({ underWay: 3 });
  const rules = [rule({ presence: "REQUIRED" }), rule({ issuer: "j", keys: OTHER_KEYS })];
  const authenticator = new RequestAuthenticator(rules, verified);
  const tokens = await Promise.all(
    Array.from({ length: 8 }, (_, index) => signed({ iss: "i", sub: String(index) })),
  );
  const ask = (text: string) => authenticator.authenticate(authorization(text), NOW);
  const outcomes = await Promise.all(tokens.map(ask));
  const results = outcomes.map(({ result }) => result);
  assert.deepEqual(results, [...Array(3).fill("good"), ...Array(5).fill("busy")]);
  assert.equal(statusOf("busy"), 503);
  for (const text of tokens) assert.equal((await ask(text)).result, "good");
});

test("a token of an issuer that need not show one is not taken for none while too many are verified", async () => {
  const verified = new VerifiedTokens({ underWay: 1 });
  const rules = [
    rule({ presence: "REQUIRED" }),
    rule({ issuer: "j", keys: OTHER_KEYS, places: header("x-j") }),
  ];
  const both = bearer({ authorization: [`Bearer ${good}`], "x-j": [other] });
  const authenticator = new RequestAuthenticator(rules, verified);
  await authenticator.authenticate(authorization(good), NOW);
  const last = await signed({ iss: "i", sub: "occupies" });
  const occupying = authenticator.authenticate(authorization(last), NOW);
  assert.equal((await authenticator.authenticate(both, NOW)).result, "busy");
  await occupying;
});

test("what other keys have verified is not known", async () => {
  const verified = new VerifiedTokens();
  await new RequestAuthenticator([rule()], verified).authenticate(authorization(good), NOW);
  const rotated = new RequestAuthenticator([rule({ keys: OTHER_KEYS })], verified);
  const outcome = rotated.authenticate(authorization(good), NOW);
  assert.ok(outcome instanceof Promise);
  assert.equal((await outcome).result, "signature");
});

test("bad tokens are not kept, and each rule says what it finds", async () => {
  const verified = new VerifiedTokens();
  const rules = [rule(), rule({ issuer: "j" }), rule({ issuer: "k", places: header("x-k") })];
  const authenticator = new RequestAuthenticator(rules, verified);
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = authenticator.authenticate(authorization(forged), NOW);
    assert.ok(outcome instanceof Promise);
    assert.deepEqual(await outcome, {
      result: "signature",
      byRule: ["signature", "unknownIssuer", "missing"],
    });
  }
});

for (const bounds of [
  { tokens: 8, characters: 1_000_000 },
  { tokens: 1_000, characters: 1_200 },
]) {
  test(`no more than ${bounds.tokens} tokens of ${bounds.characters} characters are kept, those used last`, async () => {
    const authenticator = new RequestAuthenticator([rule()], new VerifiedTokens(bounds));
    const known = async (text: string): Promise<boolean> => {
      const outcome = authenticator.authenticate(authorization(text), NOW);
      const wasKnown = !(outcome instanceof Promise);
      await outcome;
      return wasKnown;
    };
    const kept = await signed({ iss: "i", sub: "kept" });
    const lost = await signed({ iss: "i", sub: "lost" });
    await known(lost);
    await known(kept);
    for (let index = 0; index < 20; index++) {
      await known(await signed({ iss: "i", sub: String(index) }));
      assert.ok(await known(kept));
    }
    assert.ok(!(await known(lost)));
  });
}

/** Tells which tokens it was to verify. */
class TellingTokens extends VerifiedTokens {
  readonly heard: ReadToken[] = [];

  override verify(...[token, keys]: Parameters<VerifiedTokens["verify"]>): Promise<Problem> {
    this.heard.push(token);
    return super.verify(token, keys);
  }
}
type Problem = Awaited<ReturnType<VerifiedTokens["verify"]>>;

test("a token that nobody has verified is taken apart once, however many rules look at it", async () => {
  const rules = Array.from({ length: 3 }, () => rule({ keys: [...KEYS] }));
  const verified = new TellingTokens();
  await new RequestAuthenticator(rules, verified).authenticate(authorization(forged), NOW);
  assert.equal(verified.heard.length, 3);
  assert.equal(new Set(verified.heard).size, 1);
});
