import assert from "node:assert/strict";
import { test } from "node:test";
import { webhookSayings } from "../../../test/kit/webhook-sayings.ts";

const warnings = (rule: string): number =>
  webhookSayings(
    `{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: a, namespace: b}, spec: {action: DENY, rules: [${rule}]}}`,
  ).warnings.length;

const rules: [rule: string, text: string, count: number][] = [
  ["HTTP alone", "{from: [{source: {requestPrincipals: ['*']}}]}", 1],
  [
    "an empty list says nothing",
    "{from: [{source: {requestPrincipals: ['*'], principals: []}}]}",
    1,
  ],
  ["an empty list of ports", "{to: [{operation: {methods: [GET], ports: []}}]}", 1],
  ["a principal", "{from: [{source: {requestPrincipals: ['*'], principals: [a]}}]}", 0],
  ["a port", "{to: [{operation: {methods: [GET], notPorts: ['80']}}]}", 0],
];
for (const [rule, text, count] of rules) {
  test(`VAL-30 ${rule}: ${count} warnings`, () => assert.equal(warnings(text), count));
}
