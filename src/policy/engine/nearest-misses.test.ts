/** What is nearest among so many rules that not all can be asked: who is denied chooses neither the answer nor the work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterTrust, connectionFrom, requestOn } from "../../../test/kit/mesh-parts.ts";
import type { AuthorizationRule } from "../../api/authorization-policy.ts";
import { authorizeRequest, compileAuthorization } from "../authorize.ts";
import type { NearestMiss } from "../decision.ts";
import type { HttpRequest } from "../traffic.ts";
import type { AppliedPolicy } from "../workload-view.ts";

type Rule = Partial<AuthorizationRule>;

const caller = connectionFrom("spiffe://cluster.local/ns/shop/sa/web");
const OTHERS = "cluster.local/ns/shop/sa/other";
const OWN = "cluster.local/ns/shop/sa/web";

const several = (count: number, make: (index: number) => Rule): Rule[] =>
  Array.from({ length: count }, (_, index) => make(index));
const ruleFor = (principal: string, path: string): Rule => ({
  from: [{ principals: [principal] }],
  to: [{ paths: [path] }],
});

function policy(action: "ALLOW" | "DENY", rules: readonly Rule[]): AppliedPolicy {
  return {
    ref: { kind: "AuthorizationPolicy", namespace: "shop", name: action.toLowerCase() },
    source: { file: "policies.yaml", line: 1 },
    action,
    rules: rules.map((rule) => ({ line: 1, from: [], to: [], when: [], ...rule })),
  };
}

function nearest(
  request: HttpRequest,
  allow: readonly Rule[],
  deny: readonly Rule[] = [],
): readonly NearestMiss[] {
  const compiled = compileAuthorization(
    { custom: [], audit: [], deny: [policy("DENY", deny)], allow: [policy("ALLOW", allow)] },
    { protocol: "http", trust: clusterTrust },
  );
  const { reason } = authorizeRequest(compiled, request);
  assert.ok(reason.because === "no-allow-matched");
  return reason.nearest;
}

const at = (path: string): HttpRequest => requestOn(caller, { path });
const shown = (misses: readonly NearestMiss[]): string[] =>
  misses.map(({ rule, unmet }) => `${rule.rule} ${unmet.map(({ field }) => field).join(" ")}`);
const FROM = "from.source.principals";
const PATHS = "to.operation.paths";

test("of hundreds of ALLOW rules: those that only the identity keeps from matching (AP-35, AP-45)", () => {
  const allow = several(300, (index) => ruleFor(OTHERS, `/${index % 100}`));
  assert.deepEqual(
    shown(nearest(at("/87"), allow)),
    [187, 287, 87].map((rule) => `${rule} ${FROM}`),
  );
});

test("of hundreds of ALLOW rules: those that mean the caller before those that mean nobody of both", () => {
  const allow = several(300, (index) => ruleFor(index % 120 === 99 ? OWN : OTHERS, `/${index}`));
  assert.deepEqual(shown(nearest(at("/none"), allow)), [
    `219 ${PATHS}`,
    `99 ${PATHS}`,
    `0 ${FROM} ${PATHS}`,
  ]);
});

test("what is nearest is an ALLOW rule, however many DENY rules say the same", () => {
  const deny = several(300, (index) => ruleFor(OTHERS, `/${index}`));
  const allow = several(200, (index) => ruleFor(OTHERS, `/${index}`));
  const [first] = nearest(at("/150"), allow, deny);
  assert.deepEqual([first?.rule.policy.name, first?.rule.rule], ["allow", 150]);
  const [few] = nearest(at("/2"), allow.slice(0, 3), deny);
  assert.deepEqual([few?.rule.policy.name, few?.rule.rule], ["allow", 2]);
});

const alternatives: [what: string, to: Rule["to"], unmet: string[]][] = [
  [
    "the first, where it comes closest",
    [{ paths: ["/a"] }, { paths: ["/b"], methods: ["PUT"] }],
    [`${PATHS} /a`],
  ],
  [
    "the last, where it comes closest",
    [{ paths: ["/b"], methods: ["PUT"] }, { paths: ["/a"] }],
    [`${PATHS} /a`],
  ],
  [
    "the one of which more is met",
    [{ paths: ["/b"] }, { paths: ["/a"], methods: ["GET"] }, { paths: ["/c"] }],
    [`${PATHS} /a`],
  ],
  ["the first of equals", [{ paths: ["/a"] }, { paths: ["/b"] }], [`${PATHS} /a`]],
];
for (const [what, to = [], expected] of alternatives) {
  test(`of a rule's alternatives (AP-30) one is told: ${what}`, () => {
    const [miss] = nearest(at("/none"), [{ to }]);
    assert.deepEqual(
      miss?.unmet.map(({ field, expected: wanted }) => `${field} ${wanted}`),
      expected,
    );
  });
}

test("rules that are far away are not asked to their ends, so that one near behind them is still found", () => {
  const demanding = (count: number): Rule => ({
    when: Array.from({ length: count }, (_, index) => ({
      key: `request.headers[x-${index}]`,
      values: ["a"],
      notValues: [],
    })),
  });
  // Rules are asked in the order of their ids, in which 10 is before 2, and 9 is the last of 64 (AP-35).
  const allow = several(64, (rule) => demanding([0, 1, 10].includes(rule) ? 2 : 40));
  allow[9] = demanding(1);
  const [first] = nearest(requestOn(caller), allow);
  assert.deepEqual([first?.rule.rule, first?.unmet.length], [9, 1]);
});

const crowds: [what: string, count: number, conditions: number][] = [
  ["many rules of one condition", 5_000, 1],
  ["many rules of many conditions", 500, 100],
  ["one rule of very many", 1, 5_000],
];
for (const [what, count, conditions] of crowds) {
  test(`a denial costs no more than a bound: ${what}`, () => {
    let reads = 0;
    const header = (): undefined => {
      reads += 1;
    };
    const allow = several(count, () => ({
      when: Array.from({ length: conditions }, (_, index) => ({
        key: `request.headers[x-${index}]`,
        values: ["a"],
        notValues: [],
      })),
    }));
    const misses = nearest({ ...requestOn(caller), header }, allow);
    assert.equal(misses.length, Math.min(count, 3));
    assert.ok(reads <= 30_000, `${reads} headers read`);
  });
}
