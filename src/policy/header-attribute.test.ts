/** Headers that may be lists, in rules that keep out (AP-80): what a stranger sends is taken apart once, and only so far. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { policy } from "../../test/kit/sidecar-fixture.ts";
import { authorizeRequest, compileAuthorization } from "./authorize.ts";
import { MAX_ELEMENTS, readingsOf } from "./header-readings.ts";
import { ANY_TEXT } from "./text-lookup.ts";
import type { HttpRequest } from "./traffic.ts";
import type { AppliedPolicy } from "./workload-view.ts";

const TRUST = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.2",
} as const;

function request(headers: Readonly<Record<string, string>>): HttpRequest {
  const connection = {
    sourceAddress: "127.0.0.1",
    sourcePort: 1,
    destinationAddress: "127.0.0.1",
    destinationPort: 80,
  };
  const header = (name: string): string | undefined => headers[name];
  return { connection, remoteAddress: "127.0.0.1", method: "GET", path: "/", header };
}

function verdict(
  policies: readonly AppliedPolicy[],
  headers: Readonly<Record<string, string>>,
): string {
  const of = (action: AppliedPolicy["action"]): readonly AppliedPolicy[] =>
    policies.filter((one) => one.action === action);
  const compiled = compileAuthorization(
    { custom: [], audit: [], deny: of("DENY"), allow: of("ALLOW") },
    { protocol: "http", trust: TRUST },
  );
  return authorizeRequest(compiled, request(headers)).verdict;
}

function rule(
  action: "ALLOW" | "DENY",
  values: readonly string[],
  notValues: readonly string[] = [],
): AppliedPolicy {
  const when = [{ key: "request.headers[x-tier]", values, notValues, line: 1 }] as const;
  return policy(action, `${action}-${values.join("-")}`, { when });
}

const most = Array.from({ length: MAX_ELEMENTS }, (_, n) => `v${n}`);
const everybody = Array.from({ length: 100 }, (_, n) => rule("DENY", [`internal${n}`]));
const rows: [
  what: string,
  policies: readonly AppliedPolicy[],
  value: readonly string[],
  verdict: string,
][] = [
  ["a DENY rule, as many elements as may be", [rule("DENY", ["internal"])], most, "allow"],
  ["a DENY rule, the last of them", [rule("DENY", ["v1023"])], most, "deny"],
  ["a DENY rule, one element more", [rule("DENY", ["internal"])], [...most, "x"], "deny"],
  ["a DENY rule with an end", [rule("DENY", ["*internal"])], [...most, "x"], "deny"],
  ["a DENY rule, empty elements", [rule("DENY", ["internal"])], Array(60_000).fill(""), "deny"],
  ["DENY rules that are looked up", everybody, most, "allow"],
  ["DENY rules that are looked up, an element of one", everybody, ["a", "internal42"], "deny"],
  ["DENY rules that are looked up, one element more", everybody, [...most, "x"], "deny"],
  ["an ALLOW rule for all others", [rule("ALLOW", [], ["internal"])], most, "allow"],
  ["the same, one element more", [rule("ALLOW", [], ["internal"])], [...most, "x"], "deny"],
  ["an ALLOW rule, one element more", [rule("ALLOW", ["x"])], [...most, "x"], "deny"],
];
for (const [what, policies, elements, expected] of rows) {
  test(`AP-80, ${what}: ${expected}`, () => {
    assert.equal(verdict(policies, { "x-tier": elements.join(",") }), expected);
  });
}

test("several headers of a request are taken apart once each, however many ask", () => {
  const one = request({});
  const [first, other] = [readingsOf(one, "x-a", "1, 2"), readingsOf(one, "x-b", "3,4")];
  assert.deepEqual([first, other], [new Set(["1, 2", "1", "2"]), new Set(["3,4", "3", "4"])]);
  assert.equal(readingsOf(one, "x-a", "1, 2"), first);
  assert.equal(readingsOf(one, "x-b", "3,4"), other);
  assert.notEqual(readingsOf(one, "x-a", "1,5"), first);
  assert.equal(readingsOf(one, "x-c", ",".repeat(MAX_ELEMENTS)), ANY_TEXT);
});
