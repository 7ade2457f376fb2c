import assert from "node:assert/strict";
import { test } from "node:test";
import { analyzeTexts } from "../analyze-texts.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

function policy(
  name: string,
  { namespace, action, source }: { namespace: string; action: string; source: string },
): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {action: ${action}, rules: [{from: [{source: ${source}}]}]}
`;
}

const TABLE: readonly (readonly [what: string, wide: string, narrow: string, told: boolean])[] = [
  [
    "the same account, written whole",
    "{serviceAccounts: [shop/api]}",
    "{serviceAccounts: [shop/api]}",
    true,
  ],
  [
    "an account of each policy's own namespace",
    "{serviceAccounts: [api]}",
    "{serviceAccounts: [api]}",
    false,
  ],
  [
    "all but accounts of each one's own",
    "{notServiceAccounts: [api]}",
    "{notServiceAccounts: [api]}",
    false,
  ],
  ["a namespace", "{namespaces: [bank]}", "{namespaces: [bank]}", true],
];

for (const [what, wide, narrow, isTold] of TABLE) {
  test(`a DENY of the root namespace takes ${what}: ${isTold ? "told" : "not told"} (AP-47)`, () => {
    const text = [
      policy("root-deny", { namespace: "istio-system", action: "DENY", source: wide }),
      policy("allow", { namespace: "shop", action: "ALLOW", source: narrow }),
    ].join("---\n");
    const found = analyzeTexts([{ file: "mesh.yaml", text }], {
      now: NOW,
      names: ["hauberk.RuleOverlapsAnalyzer"],
    });
    assert.deepEqual(
      found.map(({ code }) => code),
      isTold ? ["HBK0020"] : [],
    );
  });
}
