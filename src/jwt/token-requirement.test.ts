import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateRequirement, type ProviderResult, requirementOf } from "./token-requirement.ts";

type Presence = "OPTIONAL" | "REQUIRED";
const cases: [
  rule: string,
  rules: readonly (readonly [ProviderResult, Presence?])[],
  result: ProviderResult,
  verified: readonly number[],
][] = [
  ["JWT-5 a good token", [["good"]], "good", [0]],
  ["JWT-1 no token", [["missing"]], "good", []],
  ["JWT-1 a bad token", [["expired"]], "expired", []],
  ["JWT-40 a token of somebody else", [["unknownIssuer"]], "unknownIssuer", []],
  ["JWT-6 the second accepts", [["unknownIssuer"], ["good"]], "good", [1]],
  ["JWT-16 the first accepts, another's is bad", [["good"], ["signature"]], "good", [0]],
  ["JWT-6 no token anywhere", [["missing"], ["missing"], ["missing"]], "good", []],
  ["JWT-6 one bad, one missing", [["missing"], ["expired"]], "expired", []],
  [
    "JWT-36 a fault rather than an unknown issuer",
    [["unknownIssuer"], ["expired"], ["unknownIssuer"]],
    "expired",
    [],
  ],
  [
    "JWT-36 an unknown issuer rather than missing",
    [["unknownIssuer"], ["missing"]],
    "unknownIssuer",
    [],
  ],
  ["JWT-9 required and missing", [["missing", "REQUIRED"]], "missing", []],
  ["JWT-9 required and there", [["good", "REQUIRED"]], "good", [0]],
  ["JWT-9 one required, the other optional", [["good", "REQUIRED"], ["missing"]], "good", [0]],
  ["JWT-9 one required, the other there", [["missing", "REQUIRED"], ["good"]], "missing", []],
  [
    "JWT-9 one of two that are required",
    [
      ["unknownIssuer", "REQUIRED"],
      ["good", "REQUIRED"],
    ],
    "good",
    [1],
  ],
  [
    "JWT-9 none of those that are required",
    [
      ["expired", "REQUIRED"],
      ["missing", "REQUIRED"],
    ],
    "expired",
    [],
  ],
  ["JWT-9 only another's token", [["good"], ["unknownIssuer", "REQUIRED"]], "unknownIssuer", []],
  ["JWT-9 a stranger's to the other", [["good", "REQUIRED"], ["unknownIssuer"]], "good", [0]],
  ["JWT-9 both are good", [["good"], ["good", "REQUIRED"]], "good", [1, 0]],
];
for (const [rule, rules, result, verified] of cases) {
  test(rule, () => {
    const requirement = requirementOf(rules.map(([, presence = "OPTIONAL"]) => presence));
    assert.ok(requirement !== undefined);
    const outcome = evaluateRequirement(
      requirement,
      (provider) => rules[provider]?.[0] ?? "missing",
    );
    assert.deepEqual(outcome, { result, verified });
  });
}

test("without rules nothing is required", () => assert.equal(requirementOf([]), undefined));
