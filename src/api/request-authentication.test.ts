import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import type { JwtRule } from "./request-authentication.ts";

const HEAD = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: p, namespace: shop}
`;
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "mesh.yaml");
const issues = (spec: string): string[] =>
  parse(spec).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
const rule = (fields: string): string => `spec: {jwtRules: [{${fields}}]}`;

const RSA = { kty: "RSA", kid: "a", n: "AQAB", e: "AQAB" };
const jwks = (...keys: unknown[]): string => `'${JSON.stringify({ keys })}'`;

const standard: JwtRule = {
  line: 4,
  issuer: "i",
  audiences: [],
  keys: { from: "issuer" },
  locations: "standard",
  forwardOriginalToken: false,
  outputClaimToHeaders: [],
  timeoutMs: 5000,
  presence: "OPTIONAL",
  spaceDelimitedClaims: [],
};
const read: [name: string, fields: string, expected: Partial<JwtRule>][] = [
  ["JWT-80 asks the issuer", "issuer: i", {}],
  [
    "JWT-17 any issuer",
    "jwksUri: 'https://a/k'",
    { issuer: "", keys: { from: "uri", uri: "https://a/k" } },
  ],
  [
    "the older name of jwksUri",
    "issuer: i, jwks_uri: 'http://a/k'",
    { keys: { from: "uri", uri: "http://a/k" } },
  ],
  [
    "JWT-80 inline keys",
    `issuer: i, jwks: ${jwks(RSA)}`,
    { keys: { from: "inline", jwks: JSON.stringify({ keys: [RSA] }) } },
  ],
  [
    "JWT-87 without what is private",
    `issuer: i, jwks: ${jwks({ ...RSA, d: "AQAB", p: "AQ", q: "AQ", dp: "AQ", dq: "AQ", qi: "AQ" })}`,
    { keys: { from: "inline", jwks: JSON.stringify({ keys: [RSA] }) } },
  ],
  [
    "JWT-30 a shared key is needed to verify",
    `issuer: i, jwks: ${jwks({ kty: "oct", k: "AQAB" })}`,
    { keys: { from: "inline", jwks: JSON.stringify({ keys: [{ kty: "oct", k: "AQAB" }] }) } },
  ],
  [
    "JWT-11 any location switches the standard ones off",
    "issuer: i, fromCookies: [c]",
    { locations: { headers: [], params: [], cookies: ["c"] } },
  ],
  [
    "JWT-12 locations",
    "issuer: i, fromHeaders: [{name: X-A, prefix: 'T '}, {name: b}], fromParams: [p]",
    {
      locations: {
        headers: [
          { name: "X-A", prefix: "T " },
          { name: "b", prefix: "" },
        ],
        params: ["p"],
        cookies: [],
      },
    },
  ],
  ["JWT-33 audiences", "issuer: i, audiences: [a, b]", { audiences: ["a", "b"] }],
  [
    "JWT-70, JWT-72, JWT-73 output",
    "issuer: i, forwardOriginalToken: true, outputPayloadToHeader: x-p, outputClaimToHeaders: [{header: x-s, claim: sub}]",
    {
      forwardOriginalToken: true,
      outputPayloadToHeader: "x-p",
      outputClaimToHeaders: [{ header: "x-s", claim: "sub" }],
    },
  ],
  ["JWT-77 timeout", "issuer: i, timeout: 1m1.5s", { timeoutMs: 61_500 }],
  ["JWT-9 presence", "issuer: i, presence: REQUIRED", { presence: "REQUIRED" }],
  [
    "JWT-65 more lists in one text",
    "issuer: i, spaceDelimitedClaims: [groups]",
    { spaceDelimitedClaims: ["groups"] },
  ],
];
for (const [name, fields, expected] of read) {
  test(`${name}: ${fields} is read`, () => {
    const { resources, issues: found } = parse(rule(fields));
    assert.deepEqual(found, []);
    const [resource] = resources;
    assert.deepEqual(resource?.kind === "RequestAuthentication" && resource.rules, [
      { ...standard, ...expected },
    ]);
  });
}

const refused: [name: string, spec: string, issue: RegExp][] = [
  [
    "VAL-40",
    rule("audiences: [a]"),
    /jwtRules\[0\]\.issuer: is missing: a rule needs issuer or jwksUri$/,
  ],
  [
    "VAL-40 empty",
    rule("issuer: ''"),
    /jwtRules\[0\]\.issuer: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "VAL-41",
    rule("issuer: i, audiences: ['']"),
    /audiences\[0\]: (must not be empty|is missing|must not be an empty value)/,
  ],
  ["VAL-42 scheme", rule("jwksUri: 'ftp://a'"), /jwksUri: /],
  ["VAL-42 no scheme", rule("jwksUri: a/b"), /jwksUri: /],
  ["VAL-42 port", rule("jwksUri: 'https://a:b/c'"), /jwksUri: /],
  ["VAL-42 escape", rule("jwksUri: 'https://a/%zz'"), /jwksUri: /],
  ["VAL-42 port beyond a number", rule("jwksUri: 'https://a:9223372036854775808'"), /jwksUri: /],
  ["VAL-42 brackets without IPv6", rule("jwksUri: 'https://[a]/b'"), /jwksUri: /],
  ["VAL-43 no JSON", rule("issuer: i, jwks: foo"), /jwks: is not JSON; expected/],
  [
    "VAL-43 half a byte",
    rule(`issuer: i, jwks: ${jwks({ ...RSA, n: "AQABA" })}`),
    /jwks: key 0 of type RSA has no good "n"$/,
  ],
  [
    "VAL-43 wrong padding",
    rule(`issuer: i, jwks: ${jwks({ ...RSA, n: "AQ=" })}`),
    /jwks: key 0 of type RSA has no good "n"$/,
  ],
  [
    "VAL-43 operations that are no list",
    rule(`issuer: i, jwks: ${jwks({ ...RSA, key_ops: "verify" })}`),
    /jwks: key 0 has a "key_ops" that is not a list of texts$/,
  ],
  [
    "VAL-43 type of key",
    rule(`issuer: i, jwks: ${jwks({ kty: "XYZ" })}`),
    /jwks: key 0 has no known "kty"/,
  ],
  [
    "VAL-43 member",
    rule(`issuer: i, jwks: ${jwks(RSA, { kty: "RSA", e: "AQAB" })}`),
    /jwks: key 1 of type RSA has no good "n"$/,
  ],
  [
    "VAL-43 curve",
    rule(`issuer: i, jwks: ${jwks({ kty: "EC", crv: "P-1", x: "AQ", y: "AQ" })}`),
    /jwks: key 0 of type EC has no known "crv"$/,
  ],
  ["VAL-43 keys", rule(`issuer: i, jwks: '{"keys": 1}'`), /jwks: "keys" is not a list$/],
  ["VAL-43 one key alone", rule(`issuer: i, jwks: '{}'`), /jwks: key 0 has no known "kty"/],
  [
    "VAL-45 header",
    rule("issuer: i, fromHeaders: [{name: ''}]"),
    /fromHeaders\[0\]\.name: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "VAL-45 parameter",
    rule("issuer: i, fromParams: ['']"),
    /fromParams\[0\]: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "VAL-45 cookie",
    rule("issuer: i, fromCookies: ['']"),
    /fromCookies\[0\]: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "VAL-46 claim",
    rule("issuer: i, outputClaimToHeaders: [{header: a, claim: ''}]"),
    /outputClaimToHeaders\[0\]\.claim: (must not be empty|is missing|must not be an empty value)/,
  ],
  [
    "VAL-46 header",
    rule("issuer: i, outputClaimToHeaders: [{header: a%b, claim: c}]"),
    /outputClaimToHeaders\[0\]\.header: /,
  ],
  [
    "VAL-47 both",
    rule(`issuer: i, jwksUri: 'https://a', jwks: ${jwks(RSA)}`),
    /jwtRules\[0\]\.jwks: must not be given together|only one of jwks/,
  ],
  ["VAL-47 timeout", rule("issuer: i, timeout: 0s"), /timeout: .*at least 1ms/],
  [
    "VAL-48",
    rule("issuer: i, presence: SOMETIMES"),
    /presence: is "SOMETIMES"; expected one of OPTIONAL, REQUIRED$/,
  ],
  [
    "VAL-5",
    "spec: {selector: {matchLabels: {a: b}}, targetRef: {kind: Service, name: s}}",
    /spec\.?(targetRef)?: .*(given together|only one of)/,
  ],
];
for (const [name, spec, issue] of refused) {
  test(`${name}: ${spec} is refused`, () => {
    const found = issues(spec);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parse(spec).resources, []);
  });
}

const secret: [name: string, key: object, told: number][] = [
  ["RSA", { ...RSA, d: "AQAB" }, 1],
  ["EC", { kty: "EC", crv: "P-256", x: "AQ", y: "AQ", d: "AQ" }, 1],
  ["OKP", { kty: "OKP", crv: "Ed25519", x: "AQ", d: "AQ" }, 1],
  ["oct", { kty: "oct", k: "AQ" }, 1],
  ["public RSA", RSA, 0],
  ["public EC", { kty: "EC", crv: "P-256", x: "AQ", y: "AQ" }, 0],
];
for (const [name, key, told] of secret) {
  test(`VAL-44: a key of type ${name} gives ${told} warnings`, () => {
    const { notices, issues: found } = parse(rule(`issuer: i, jwks: ${jwks(RSA, key)}`));
    assert.deepEqual(found, []);
    const warnings = notices.filter(({ level }) => level === "webhook");
    assert.equal(warnings.length, told);
    if (told === 1)
      assert.match(warnings[0]?.message ?? "", /^key 1 holds what only a signer may know/);
  });
}

test("AP-110: a RequestAuthentication cannot be on trial", () => {
  const text = HEAD.replace("shop}", 'shop, annotations: {istio.io/dry-run: "true"}}');
  assert.match(
    parseResources(text, "f").issues[0]?.problem ?? "",
    /^is for AuthorizationPolicy alone; remove it$/,
  );
});
