import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizationPolicies } from "../../test/kit/authorization-policies.ts";
import { ruleSentence } from "./rule-sentence.ts";

/** One rule of a policy in namespace `shop`, and its sentence after "Allows". */
const SENTENCES: readonly (readonly [rule: string, sentence: string])[] = [
  ["{}", "always."],
  ["{from: [{source: {principals: [a]}}]}", "when the principal is a."],
  ["{from: [{source: {principals: [a, b]}}]}", "when the principal is (a OR b)."],
  ["{from: [{source: {principals: [a, b/*]}}]}", "when the principal is a OR starts with b/."],
  [
    "{from: [{source: {notPrincipals: [a, b/*]}}]}",
    "when NOT (the principal is a OR starts with b/).",
  ],
  ["{from: [{source: {notNamespaces: [a, b]}}]}", "when the caller's namespace is not (a OR b)."],
  ["{from: [{source: {principals: ['*']}}]}", "when there is a principal."],
  ["{from: [{source: {requestPrincipals: ['*']}}]}", "when there is an end user."],
  ["{from: [{source: {notRequestPrincipals: ['*']}}]}", "when there is no end user."],
  [
    "{from: [{source: {serviceAccounts: [web, blog/web]}}]}",
    "when the service account is (shop/web OR blog/web).",
  ],
  ["{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}", "when the caller's address is in 10.0.0.0/8."],
  [
    "{from: [{source: {namespaces: [a], notPrincipals: [b]}}]}",
    "when the principal is not b AND the caller's namespace is a.",
  ],
  [
    "{from: [{source: {namespaces: [a]}}, {source: {principals: [b]}}]}",
    "when the caller's namespace is a OR the principal is b.",
  ],
  [
    "{from: [{source: {namespaces: [a], trustDomains: [t]}}, {source: {principals: [b]}}], to: [{operation: {methods: [GET]}}]}",
    "when ((the caller's namespace is a AND the trust domain is t) OR the principal is b) AND the method is GET.",
  ],
  [
    "{to: [{operation: {methods: [GET], paths: [/a, '/b/*', '/c/{*}']}}]}",
    "when the method is GET AND (the path is /a OR starts with /b/ OR fits /c/{*}).",
  ],
  ["{to: [{operation: {notPaths: ['/c/{**}']}}]}", "when the path does not fit /c/{**}."],
  ["{when: [{key: 'request.headers[x]', values: ['1', '2']}]}", "when the header x is (1 OR 2)."],
  [
    "{when: [{key: 'request.auth.claims[a][b]', values: ['*']}]}",
    "when there is a token claim a.b.",
  ],
  [
    "{when: [{key: 'source.ip', values: [10.0.0.1], notValues: [10.0.0.2]}, {key: connection.sni, values: ['*.a']}]}",
    "when the caller's address is 10.0.0.1 AND the caller's address is not 10.0.0.2 AND the TLS server name ends with .a.",
  ],
];

for (const [rule, sentence] of SENTENCES) {
  test(`AP-30..AP-32: ${rule}: allows ${sentence}`, () => {
    assert.equal(sentenceOf(rule, "ALLOW"), `Allows ${sentence}`);
  });
}

test("each action has its verb", () => {
  assert.equal(sentenceOf("{}", "DENY"), "Denies always.");
  assert.equal(sentenceOf("{}", "AUDIT"), "Records always.");
  assert.equal(sentenceOf("{}", "CUSTOM, provider: {name: opa}"), "Asks the authorizer always.");
});

/** A key of `when`, and what it asks of a value. */
const KEYS: readonly (readonly [key: string, asks: string])[] = [
  ["source.ip", "the caller's address is 10.0.0.1"],
  ["remote.ip", "the caller's address by X-Forwarded-For is 10.0.0.1"],
  ["source.namespace", "the caller's namespace is 1"],
  ["source.principal", "the principal is 1"],
  ["source.serviceAccount", "the service account is jobs/1"],
  ["source.trustDomain", "the trust domain is 1"],
  ["request.auth.principal", "the end user is 1"],
  ["request.auth.audiences", "the token audience is 1"],
  ["request.auth.presenter", "the token presenter is 1"],
  ["destination.ip", "the destination's address is 10.0.0.1"],
  ["destination.port", "the port is 1"],
  ["connection.sni", "the TLS server name is 1"],
];
for (const [key, asks] of KEYS) {
  test(`AP-80..AP-98: ${key} in words: ${asks}`, () => {
    const value = asks.split(" ").at(-1);
    const rule = `{when: [{key: ${key}, values: ['${value}']}]}`;
    assert.equal(sentenceOf(rule, "ALLOW"), `Allows when ${asks}.`);
  });
}

function sentenceOf(rule: string, action: string): string {
  const [policy] = authorizationPolicies(`{action: ${action}, rules: [${rule}]}`);
  const [first] = policy?.rules ?? [];
  assert.ok(policy && first);
  return ruleSentence(first, { action: policy.action, namespace: policy.meta.namespace });
}
