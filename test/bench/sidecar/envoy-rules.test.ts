import assert from "node:assert/strict";
import { test } from "node:test";
import { Mix, type MixedRule } from "../policy/mixed-rules.ts";
import { roleBasedAccess } from "./envoy-rules.ts";

const textOf = (rules: readonly MixedRule[]): string =>
  JSON.stringify(roleBasedAccess("http", rules));

test("AP-41, AP-45, AP-46: values are written for Envoy as istiod writes them", () => {
  const rule = { action: "ALLOW" } as const;
  const table: readonly [MixedRule, string][] = [
    [{ ...rule, principals: ["td/ns/a/sa/b"] }, '{"exact":"spiffe://td/ns/a/sa/b"}'],
    [{ ...rule, principals: ["td/ns/a/*"] }, '{"prefix":"spiffe://td/ns/a/"}'],
    [{ ...rule, principals: ["*/sa/b.c"] }, '"regex":"spiffe://.*/sa/b\\\\.c"'],
    [{ ...rule, namespaces: ["a"] }, '"regex":".*/ns/a/.*"'],
    [{ ...rule, notPrincipals: ["x"] }, '{"not_id":{"or_ids":'],
    [{ ...rule, methods: ["GET"] }, '{"name":":method","string_match":{"exact":"GET"}}'],
    [{ ...rule, paths: ["/a/*"] }, '{"url_path":{"path":{"prefix":"/a/"}}}'],
    [{ ...rule, notPaths: ["*.json"] }, '{"not_rule":{"or_rules":{"rules":[{"url_path":'],
    [{ ...rule, ports: ["80"] }, '{"destination_port":80}'],
    [{ ...rule, hosts: ["*.shop"] }, '{"suffix":".shop","ignore_case":true}'],
    [
      { ...rule, header: { name: "x", values: ["1"] } },
      '{"name":"x","string_match":{"exact":"1"}}',
    ],
  ];
  for (const [written, expected] of table) {
    assert.ok(textOf([written]).includes(expected), `${expected} in ${textOf([written])}`);
  }
});

test("all rules are there, DENY before ALLOW, and the caller's own comes last", () => {
  const rules = new Mix(7).rules(1_000);
  const denials = rules.filter(({ action }) => action === "DENY").length;
  const filters = roleBasedAccess("http", rules) as readonly {
    readonly typed_config: { readonly rules: { readonly policies: Record<string, unknown> } };
  }[];
  const [deny, allow] = filters.map(({ typed_config }) => typed_config.rules.policies);
  assert.equal(Object.keys(deny ?? {}).length, denials);
  const names = Object.keys(allow ?? {});
  assert.equal(names.length, 1_000 - denials + 1);
  assert.deepEqual([...names].sort(), names, "Envoy takes them in the order of their names");
  assert.match(JSON.stringify(allow?.[names.at(-1) ?? ""]), /production\/sa\/frontend/);
});
