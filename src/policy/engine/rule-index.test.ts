/** What an index weighs: rules that name many texts of many attributes must not multiply each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterTrust } from "../../../test/kit/mesh-parts.ts";
import type { AuthorizationRule } from "../../api/authorization-policy.ts";
import { type CompiledRule, compileRule } from "../authorization-rule.ts";
import { buildRuleIndex } from "./rule-index.ts";
import { takeApart } from "./take-apart.ts";

function compiled(index: number, parts: Partial<AuthorizationRule>): CompiledRule {
  const ref = {
    policy: { kind: "AuthorizationPolicy", namespace: "x", name: "p" },
    rule: index,
    source: { file: "p.yaml", line: 1 },
  };
  const context = {
    protocol: "http",
    trust: clusterTrust,
    namespace: "x",
    action: "ALLOW",
  } as const;
  return compileRule({ line: 1, from: [], to: [], when: [], ...parts }, { ...context, ref });
}

const texts = (count: number, text: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => text(index));

/** Rules that share so many texts of each attribute that no single one tells them apart. */
const crowd = (values: number): CompiledRule[] =>
  Array.from({ length: 400 }, (_, rule) =>
    compiled(rule, {
      to: [
        {
          hosts: texts(values, (index) => `h${(rule + index) % 23}`),
          paths: texts(values, (index) => `/${(rule * 3 + index) % 29}*`),
        },
      ],
      when: ["a", "b", "c"].map((name, place) => ({
        key: `request.headers[${name}]`,
        values: texts(values, (index) => `${(rule * (place + 5) + index) % 31}*`),
        notValues: [],
      })),
    }),
  );

for (const values of [3, 4, 6]) {
  test(`a rule of ${values} values in each of 5 attributes stands in at most 16 places below each of the uppermost`, () => {
    const { orders } = buildRuleIndex(takeApart(crowd(values)));
    const uppermost = 400 * values;
    assert.ok(orders.length >= uppermost, `${orders.length} places`);
    assert.ok(orders.length <= 16 * uppermost, `${orders.length} places`);
  });
}
