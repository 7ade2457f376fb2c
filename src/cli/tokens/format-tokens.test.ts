import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTokens, tokensAsData } from "./format-tokens.ts";
import type { JudgedToken, JudgedTokenRule, JudgedTokens } from "./judge-tokens.ts";
import { ToldClaims } from "./told-claims.ts";

const place = { in: "header", name: "authorization", prefix: "Bearer " } as const;

function token(result: JudgedToken["result"]): JudgedToken {
  const checks = [
    { check: "issuer", result: "failed", expected: "this one", got: "that one" },
  ] as const;
  return { place, result, checks };
}

function rule(name: string, more: Partial<JudgedTokenRule> = {}): JudgedTokenRule {
  const ref = { kind: "RequestAuthentication", namespace: "shop", name } as const;
  return {
    origin: { ref, source: { file: "tokens.yaml", line: 9 } },
    issuer: `https://${name}`,
    presence: "OPTIONAL",
    isOwn: false,
    keys: { from: "rule" },
    tokens: [token("unknownIssuer")],
    ...more,
  };
}

function judged(rules: readonly JudgedTokenRule[]): JudgedTokens {
  const request = { method: "GET", path: "/", headers: new Map<string, string>() };
  const facts = { lackingKeysOf: [], secrets: [], claims: undefined };
  return { request, result: "good", rules, ...facts };
}

const now = new Date(0);
const telling = { claims: new ToldClaims("hashed"), how: "hashed", now } as const;
const OTHERS = [
  'by RequestAuthentication shop/a (tokens.yaml:9), issuer "https://a": Jwt issuer is not configured',
  'by RequestAuthentication shop/z (tokens.yaml:9), issuer "https://z", a token is required: no token where it looks',
];
const own = [
  'by RequestAuthentication shop/m (tokens.yaml:9), issuer "https://m"',
  `  in the header authorization, behind "Bearer ": Jwt is expired`,
  "    failed: issuer, expected this one; got that one",
  "  its keys: written in the rule",
];
const rules = [
  rule("a"),
  rule("m", { isOwn: true, tokens: [token("expired")] }),
  rule("z", { presence: "REQUIRED", tokens: [] }),
];

test("the rule of the token's issuer comes first, the others after it in a line each", () => {
  assert.deepEqual(formatTokens(judged(rules), telling), [...own, ...OTHERS]);
});

test("of a token that no rule knows, the first that looked at it is told whole", () => {
  const [a, m, z] = [rule("a", { tokens: [] }), rule("m"), rule("z")];
  const told = formatTokens(judged([a, m, z]), telling);
  assert.equal(told[0], own[0]);
  assert.deepEqual(told.slice(-2), [
    'by RequestAuthentication shop/a (tokens.yaml:9), issuer "https://a": no token where it looks',
    'by RequestAuthentication shop/z (tokens.yaml:9), issuer "https://z": Jwt issuer is not configured',
  ]);
});

test("two tokens of two issuers are both told whole", () => {
  const both = [rule("a", { isOwn: true }), rule("m", { isOwn: true })];
  const told = formatTokens(judged(both), telling);
  assert.equal(told.filter((line) => line.startsWith("    failed: issuer")).length, 2);
});

test("programs get the rules in their own order, each with all it has", () => {
  const { rules: data } = JSON.parse(JSON.stringify(tokensAsData(judged(rules), telling)));
  assert.deepEqual(
    data.map(({ issuer }: { issuer: string }) => issuer),
    ["https://a", "https://m", "https://z"],
  );
  assert.deepEqual(Object.keys(data[0]), ["origin", "issuer", "presence", "keys", "tokens"]);
});
