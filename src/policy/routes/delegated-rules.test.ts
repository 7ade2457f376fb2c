import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../../test/kit/mesh-parts.ts";
import type { HttpRule } from "../../api/virtual-service.ts";
import { ofKind } from "../mesh-snapshot.ts";
import { isBeyondDelegation, MOST_DELEGATED, withDelegates } from "./delegated-rules.ts";

const service = (name: string, spec: string, namespace = "shop"): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`;

const rulesOf = (root: string, leaf: string, more = ""): readonly HttpRule[] => {
  const yaml =
    service(
      "root",
      `{hosts: [a.example.com], http: [{${root}delegate: {name: leaf, namespace: back}}]}`,
    ) + service("leaf", `{${more}http: [{${leaf}route: [{destination: {host: api}}]}]}`, "back");
  return withDelegates(ofKind(resourcesOf(yaml), "VirtualService"))[0]?.http ?? [];
};

const conditions = (root: string, leaf: string): readonly unknown[] =>
  rulesOf(root, leaf).flatMap(({ matches }) => matches.map(({ condition }) => condition));

test("a delegate's routes take the place of the route that delegates, in its own names", () => {
  const [rule, ...others] = rulesOf("name: r, timeout: 3s, ", "name: l, timeout: 5s, ");
  assert.deepEqual(others, []);
  assert.equal(rule?.name, "r-l");
  assert.equal(rule.timeoutMs, 5_000);
  assert.ok(rule.action.do === "forward");
  assert.equal(rule.action.destinations[0]?.destination.host, "api.back.svc.cluster.local");
});

test("what the delegate does not say, the root does", () => {
  assert.equal(rulesOf("timeout: 3s, ", "")[0]?.timeoutMs, 3_000);
});

const uri = (match: string): string => `match: [{uri: {${match}}}], `;
const merged: [what: string, root: string, leaf: string, conditions: readonly unknown[]][] = [
  ["the root's alone", uri("prefix: /a"), "", [{ path: { kind: "prefix", path: "/a" } }]],
  ["the delegate's alone", "", uri("prefix: /a"), [{ path: { kind: "prefix", path: "/a" } }]],
  [
    "a longer prefix",
    uri("prefix: /a"),
    uri("prefix: /a/b"),
    [{ path: { kind: "prefix", path: "/a/b" } }],
  ],
  [
    "an exact path within",
    uri("prefix: /a"),
    uri("exact: /a/b"),
    [{ path: { kind: "exact", path: "/a/b" } }],
  ],
  ["a path outside", uri("prefix: /a"), uri("prefix: /b"), []],
  ["a shorter prefix", uri("prefix: /a/b"), uri("prefix: /a"), []],
  ["a prefix of an exact path", uri("exact: /a"), uri("prefix: /a"), []],
  ["a regular expression", uri("prefix: /a"), uri("regex: /a.*"), []],
  [
    "conditions of both",
    "match: [{method: {exact: GET}, headers: {x: {exact: a}}}], ",
    "match: [{uri: {prefix: /a}, headers: {y: {exact: b}}}], ",
    [
      {
        method: { kind: "exact", text: "GET" },
        path: { kind: "prefix", path: "/a" },
        headers: [
          { name: "x", value: { kind: "exact", text: "a" } },
          { name: "y", value: { kind: "exact", text: "b" } },
        ],
      },
    ],
  ],
  [
    "another value of a header",
    "match: [{headers: {x: {exact: a}}}], ",
    "match: [{headers: {x: {exact: b}}}], ",
    [],
  ],
  ["another port", "match: [{port: 1}], ", "match: [{port: 2}], ", []],
];
for (const [what, root, leaf, expected] of merged) {
  test(`merged: ${what}`, () => assert.deepEqual(conditions(root, leaf), expected));
}

test("a delegate that is not there, or not exported, leads nowhere", () => {
  assert.deepEqual(rulesOf("", "", 'exportTo: ["."], '), []);
  assert.equal(rulesOf("", "", "exportTo: [shop], ").length, 1);
  const alone = service("root", "{hosts: [a.example.com], http: [{delegate: {name: leaf}}]}");
  assert.deepEqual(withDelegates(ofKind(resourcesOf(alone), "VirtualService"))[0]?.http, []);
});

test("of a few lines on both sides come no millions: rules beyond lead nowhere, and other namespaces' go on", () => {
  const many = (count: number, rule: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => `{${rule(index)}}`).join(", ");
  const roots = many(
    101,
    (index) =>
      `match: [{headers: {a${index}: {exact: x}}}], delegate: {name: leaf, namespace: back}`,
  );
  const leaves = many(
    100,
    (index) => `match: [{uri: {prefix: /${index}}}], route: [{destination: {host: api}}]`,
  );
  const yaml =
    service("root", `{hosts: [a.example.com], http: [${roots}]}`) +
    service("root", `{hosts: [b.example.com], http: [${roots}]}`, "other") +
    service("leaf", `{http: [${leaves}]}`, "back");
  const services = withDelegates(ofKind(resourcesOf(yaml), "VirtualService"));
  for (const { http } of services.filter(({ hosts }) => hosts.length > 0)) {
    assert.equal(http.length, MOST_DELEGATED + 1);
    const beyond = http.filter(isBeyondDelegation);
    assert.deepEqual(
      beyond.map(({ matches }) => matches[0]?.condition.headers?.[0]?.name),
      ["a100"],
    );
  }
});
