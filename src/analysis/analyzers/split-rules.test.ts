/** Twenty ALLOW policies that a dash splits in one place, and what looks like it and is meant (AP-30, AP-31). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { analyzeTexts } from "../analyze-texts.ts";

const WEB = 'principals: ["cluster.local/ns/shop/sa/web"]';
const FROM_WEB = `from: [{source: {${WEB}}}]`;
const FROM_TOKEN = 'from: [{source: {requestPrincipals: ["*"]}}]';
const TO_INFO = 'to: [{operation: {methods: [GET], paths: ["/info*"]}}]';
const WHEN_HEADER = 'when: [{key: "request.headers[x-team]", values: [shop]}]';
const WHEN_CLAIM = 'when: [{key: "request.auth.claims[role]", values: [admin]}]';
const WHEN_PEER = 'when: [{key: "source.namespace", values: [shop]}]';

/** Where the dash falls, and what it turns the text into. */
const DASHES = { RULE: "}, {", SOURCE: "}}, {source: {", OPERATION: "}}, {operation: {" };
const PLACE = / (RULE|SOURCE|OPERATION) /g;

const source = (fields: string): string => `{from: [{source: {${fields}}}], ${TO_INFO}}`;
const operation = (fields: string): string => `{${FROM_WEB}, to: [{operation: {${fields}}}]}`;

const SPLIT: readonly string[] = [
  `{${FROM_WEB} RULE ${TO_INFO}}`,
  `{${FROM_WEB} RULE ${WHEN_HEADER}}`,
  `{${TO_INFO} RULE ${WHEN_HEADER}}`,
  `{${TO_INFO} RULE ${WHEN_CLAIM}}`,
  `{${TO_INFO} RULE ${FROM_WEB}}`,
  `{${FROM_WEB}, ${TO_INFO} RULE ${WHEN_PEER}}`,
  `{${FROM_WEB} RULE ${TO_INFO}, ${WHEN_CLAIM}}`,
  `{${FROM_WEB} RULE ${TO_INFO} RULE ${WHEN_CLAIM}}`,
  `{${FROM_TOKEN} RULE to: [{operation: {paths: ["/info*"]}}]}`,
  source(`${WEB} SOURCE notNamespaces: [legacy]`),
  source('principals: ["*"] SOURCE notPrincipals: ["cluster.local/ns/shop/sa/old"]'),
  source(`${WEB} SOURCE requestPrincipals: ["*"]`),
  source(`${WEB} SOURCE remoteIpBlocks: ["203.0.113.0/24"]`),
  source(`namespaces: [shop] SOURCE ipBlocks: ["10.0.0.0/8"]`),
  operation('methods: [GET] OPERATION paths: ["/info*"]'),
  operation('methods: [GET] OPERATION notPaths: ["/admin*"]'),
  operation('paths: ["/a*"] OPERATION notPaths: ["/a/b*"]'),
  operation('hosts: ["shop.example", "shop.example:*"] OPERATION paths: ["/info*"]'),
];

/** The same trap, told apart from a usual policy by what its author meant alone: nothing is said. */
const UNTOLD: readonly string[] = [
  operation('methods: [GET] OPERATION ports: ["8080"]'),
  `{to: [{operation: {paths: ["/info*"]}}] RULE ${FROM_TOKEN}}`,
];

const MEANT: readonly (readonly [why: string, rules: string])[] = [
  [
    "callers by account or by namespace, as in Istio's documentation",
    `{from: [{source: {${WEB}}}, {source: {namespaces: [test]}}], ${TO_INFO}, ${WHEN_CLAIM}}`,
  ],
  ["a rule for each caller", `{${FROM_WEB}}, {from: [{source: {namespaces: [test]}}], ${TO_INFO}}`],
  [
    "two kinds of callers in rules of their own",
    `{${FROM_WEB}, ${TO_INFO}}, {${FROM_TOKEN}, ${TO_INFO}}`,
  ],
  [
    "callers one by one, and what is open to all",
    `{${FROM_WEB}}, {from: [{source: {namespaces: [test]}}]}, {to: [{operation: {paths: [/healthz]}}]}`,
  ],
  [
    "paths for everybody, a claim for the rest",
    `{to: [{operation: {paths: [/healthz]}}]}, {${WHEN_CLAIM}}`,
  ],
  [
    "operations of the same kinds",
    operation('methods: [GET]}}, {operation: {methods: [POST], paths: ["/data*"]'),
  ],
  [
    "a port that speaks no HTTP",
    operation('methods: [GET], paths: ["/info*"]}}, {operation: {ports: ["9090"]'),
  ],
];

function tells(rules: string, action = "ALLOW"): readonly string[] {
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: split, namespace: shop}
spec:
  action: ${action}
  rules: [${rules}]`;
  const found = analyzeTexts([{ file: "policy.yaml", text }], { now: new Date(0) });
  return found.flatMap(({ code, message }) => (code === "HBK0013" ? [message] : []));
}

function split(rules: string): string {
  return rules.replace(PLACE, (_, place: keyof typeof DASHES) => DASHES[place]);
}

for (const rules of [...SPLIT, ...UNTOLD])
  test(`nothing is said before the dash: ${rules}`, () => {
    assert.deepEqual(tells(rules.replace(PLACE, ", ")), []);
  });

for (const rules of SPLIT)
  test(`a dash is found: ${rules}`, () => {
    assert.equal(tells(split(rules)).length, 1);
  });

test("of twenty dashes at least eighteen are found", () => {
  const all = [...SPLIT, ...UNTOLD];
  assert.equal(all.length, 20);
  assert.ok(all.filter((rules) => tells(split(rules)).length > 0).length >= 18);
  assert.deepEqual(
    UNTOLD.flatMap((rules) => tells(split(rules))),
    [],
  );
});

for (const [why, rules] of MEANT)
  test(`nothing is said of ${why}`, () => {
    assert.deepEqual(tells(rules), []);
  });

test("a DENY policy that a dash splits only denies more", () => {
  for (const rules of SPLIT) assert.deepEqual(tells(split(rules), "DENY"), []);
});

test("both parts are named, and how to mend it", () => {
  assert.deepEqual(tells(`{${FROM_WEB}}, {${TO_INFO}}`), [
    "Rule #0 and rule #1 look like one that a dash has split: a request that satisfies either matches (AP-30). If both must hold, put from, to and when under one dash.",
  ]);
  assert.deepEqual(tells(split(operation("methods: [GET] OPERATION notPaths: [/admin]"))), [
    "Item #0 and item #1 in to of rule #0 look like one that a dash has split: a request that satisfies either matches (AP-30). If both must hold, put them under one dash; if either is enough, give each a rule of its own.",
  ]);
});
