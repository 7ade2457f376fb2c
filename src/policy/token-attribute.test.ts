/** What rules say about tokens: the vectors of appendix B and the rest of JWT-60..JWT-68. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionAttribute, SOURCE_RULE_FIELDS } from "./rule-field.ts";
import { claimNames } from "./token-attribute.ts";
import type { TokenPayload } from "./traffic.ts";

const SLEEP = { iss: "https://i", sub: "u" };
const connection = {
  sourceAddress: "10.0.0.1",
  sourcePort: 1,
  destinationAddress: "10.0.0.2",
  destinationPort: 80,
};
const context = {
  trust: {
    trustDomain: "cluster.local",
    trustDomainAliases: [],
    rootsPem: [],
    minimumTlsVersion: "TLSv1.2",
  },
  namespace: "default",
  matching: "lets-in",
} as const;

const traffic = (token: TokenPayload | undefined) => ({
  connection,
  remoteAddress: connection.sourceAddress,
  ...(token && { token }),
});

const principals: [id: string, value: string, token: TokenPayload | undefined, matches: boolean][] =
  [
    ["MV-37", "https://i/u", SLEEP, true],
    ["MV-38", "https://i/*", SLEEP, true],
    ["MV-39 and JWT-61", "*", { iss: "https://i" }, false],
    ["MV-40", "https://i/a/b", { iss: "https://i", sub: "a/b" }, false],
    ["MV-40, the split at the last slash", "https://i/a/b", { iss: "https://i/a", sub: "b" }, true],
    ["JWT-60 any", "*", SLEEP, true],
    ["JWT-60 any needs both", "*", { iss: "", sub: "u" }, false],
    ["JWT-60 subject prefix", "https://i/u*", { iss: "https://i", sub: "user" }, true],
    ["JWT-60 subject prefix of another", "https://i/u*", { iss: "https://j", sub: "user" }, false],
    ["JWT-60 a star before it is literal", "https://i/*u*", { iss: "https://i", sub: "xu" }, false],
    ["JWT-60 issuer suffix", "*i/u", SLEEP, true],
    ["JWT-60 issuer suffix, exact subject", "*i/u", { iss: "https://i", sub: "uu" }, false],
    ["JWT-60 any issuer", "*/u", SLEEP, true],
    ["JWT-60 subject suffix alone", "*u", { iss: "x", sub: "su" }, true],
    ["JWT-60 issuer prefix alone", "http*", SLEEP, true],
    ["JWT-60 undivided", "https:", SLEEP, false],
    ["JWT-60 undivided, empty subject", "i", { iss: "i", sub: "" }, true],
    ["JWT-60 texts alone", "*", { iss: ["https://i"], sub: "u" }, false],
    ["JWT-68 no token", "*", undefined, false],
  ];
for (const [id, value, token, matches] of principals) {
  test(`${id}: requestPrincipals ${value} ${matches ? "matches" : "does not match"} ${JSON.stringify(token)}`, () => {
    const { attribute } = SOURCE_RULE_FIELDS.requestPrincipals;
    assert.equal(attribute.compile([value], context)?.(traffic(token)), matches);
  });
}

const toldPrincipals: [token: TokenPayload, told: string | undefined][] = [
  [SLEEP, "https://i/u"],
  [{ sub: "u" }, undefined],
  [{ iss: "https://i" }, undefined],
  [{ iss: ["https://i"], sub: "u" }, undefined],
];
for (const [token, told] of toldPrincipals) {
  test(`JWT-61 the principal of ${JSON.stringify(token)} is told as ${told ?? "none"}`, () => {
    assert.equal(SOURCE_RULE_FIELDS.requestPrincipals.attribute.read(traffic(token)), told);
  });
}

const claims: [id: string, key: string, value: string, token: TokenPayload, matches: boolean][] = [
  ["MV-41", "claims[groups]", "g1", { groups: ["g0", "g1"] }, true],
  ["MV-42", "claims[scope]", "a", { scope: ["a", "b"] }, true],
  ["MV-43", "claims[scope]", "a b", { scope: ["a", "b"] }, false],
  ["MV-44", "claims[level]", "5", { level: 5 }, false],
  ["MV-45", "claims[a.b]", "x", { "a.b": "x" }, true],
  ["MV-46", "claims[a.b]", "x", { a: { b: "x" } }, false],
  ["JWT-62 nested", "claims[a][b]", "x", { a: { b: "x" } }, true],
  ["JWT-62 not into lists", "claims[a][0]", "x", { a: ["x"] }, false],
  ["JWT-62 not into null", "claims[a][b]", "*", { a: null }, false],
  ["JWT-62 numbers in lists", "claims[a]", "*", { a: [1, null, {}] }, false],
  ["JWT-62 booleans", "claims[a]", "*", { a: true }, false],
  ["JWT-62 inherited names", "claims[constructor][name]", "*", {}, false],
  ["JWT-64", "claims[a[b]]", "x", { "a[b]": "x" }, true],
  ["JWT-66 audience", "audiences", "b", { aud: ["a", "b"] }, true],
  ["JWT-66 one audience", "audiences", "b*", { aud: "bc" }, true],
  ["JWT-66 presenter", "presenter", "c", { azp: "c" }, true],
  ["JWT-67 present", "claims[a]", "*", { a: "x" }, true],
  ["JWT-67 empty", "claims[a]", "*", { a: "" }, false],
];
for (const [id, key, value, token, matches] of claims) {
  test(`${id}: request.auth.${key} ${value} ${matches ? "matches" : "does not match"} ${JSON.stringify(token)}`, () => {
    const attribute = conditionAttribute(`request.auth.${key}`);
    assert.equal(attribute?.compile([value], context)?.(traffic(token)), matches);
  });
}

const shown: [key: string, shown: string][] = [
  ["claims[iss]", "shown"],
  ["claims[sub]", "shown"],
  ["claims[aud]", "shown"],
  ["claims[azp]", "shown"],
  ["audiences", "shown"],
  ["presenter", "shown"],
  ["claims[email]", "expected-only"],
  ["claims[sub][iss]", "expected-only"],
];
for (const [key, expected] of shown) {
  test(`what a token says of request.auth.${key} is told to whoever reads a denial: ${expected}`, () => {
    assert.equal(conditionAttribute(`request.auth.${key}`)?.shown, expected);
  });
}

const names: [brackets: string, names: readonly string[] | undefined][] = [
  ["[a]", ["a"]],
  ["[a][b]", ["a", "b"]],
  ["[a.b]", ["a.b"]],
  ["[a]x[b]", ["a]x[b"]],
  ["[a][b", undefined],
  ["x[a]", undefined],
  ["[]", undefined],
];
for (const [brackets, expected] of names) {
  test(`JWT-64: ${brackets} names ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(claimNames(brackets), expected);
  });
}
