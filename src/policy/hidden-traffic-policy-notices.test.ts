import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { hiddenTrafficPolicyNotices } from "./hidden-traffic-policy-notices.ts";

interface RuleParts {
  readonly host?: string;
  readonly in?: string;
  readonly tls?: string;
  readonly more?: string;
}

/** The longer its name, the younger it is. */
function rule(name: string, parts: RuleParts = {}): string {
  const { host = "api.shop.svc.cluster.local", in: namespace = "shop", more = "" } = parts;
  return `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "20${10 + name.length}-01-01T00:00:00Z"}
spec: {host: "${host}", trafficPolicy: ${parts.tls ?? "{tls: {mode: DISABLE}}"}${more}}`;
}
const selecting = (app: string): RuleParts => ({
  more: `, workloadSelector: {matchLabels: {app: ${app}}}`,
});
const exportTo = (...names: string[]): RuleParts => ({
  more: `, exportTo: ['${names.join("', '")}']`,
});

const cases: [name: string, rules: string, told: string[]][] = [
  ["one alone", rule("a"), []],
  ["two for one host", rule("aa") + rule("a"), ["aa by a"]],
  ["a short name is the same host", rule("a") + rule("aa", { host: "api" }), ["aa by a"]],
  ["three", rule("a") + rule("aa") + rule("aaa"), ["aa by a", "aaa by a"]],
  ["one without a trafficPolicy hides nothing", rule("a", { tls: "null" }) + rule("aa"), []],
  ["and is not hidden", rule("a") + rule("aa", { tls: "null" }), []],
  ["two hosts", rule("a") + rule("aa", { host: "*.local" }), []],
  ["two namespaces", rule("a") + rule("aa", { in: "web" }), []],
  ["one for some clients", rule("a", selecting("one")) + rule("aa"), []],
  [
    "two for the same clients",
    rule("a", selecting("one")) + rule("aa", selecting("one")),
    ["aa by a"],
  ],
  ["two for others", rule("a", selecting("one")) + rule("aa", selecting("other")), []],
  [
    "two for the same namespaces",
    rule("a", exportTo("x")) + rule("aa", exportTo("x")),
    ["aa by a"],
  ],
  ["two for other namespaces", rule("a", exportTo("x")) + rule("aa", exportTo("y")), []],
];
for (const [name, rules, told] of cases) {
  test(`TLS-41 a trafficPolicy that is hidden is told: ${name}`, () => {
    const notices = hiddenTrafficPolicyNotices(resourcesOf(rules));
    const pairs = notices.map(({ message }) => {
      const [, hidden, by] =
        /Rule \w+\/(\w+) is not obeyed: .* of \w+ \w+\/(\w+) \(mesh/.exec(message) ?? [];
      return `${hidden} by ${by}`;
    });
    assert.deepEqual(pairs, told);
  });
}
