import assert from "node:assert/strict";
import { test } from "node:test";
import type { Judged, Reason, RuleRef } from "./decision.ts";
import { trialOutcome } from "./trial-outcome.ts";

const rule = (name: string, index = 0): RuleRef => ({
  policy: { kind: "AuthorizationPolicy", namespace: "shop", name },
  rule: index,
  source: { file: "p.yaml", line: 1 },
});
const allowed = (matched: RuleRef): Judged => ({
  verdict: "allow",
  reason: { because: "matched-allow", matched },
});
const denied = (matched: RuleRef): Judged => ({
  verdict: "deny",
  reason: { because: "matched-deny", matched },
});
const near = (...names: string[]): Judged => {
  const considered = names.map((name) => rule(name).policy);
  return { verdict: "deny", reason: { because: "no-allow-matched", considered, nearest: [] } };
};
const asked = (provider: string, afterwards: Judged): Judged => {
  const reason: Reason = {
    because: "matched-custom",
    delegations: [{ provider, matched: rule("ask") }],
    afterwards,
  };
  return { verdict: "delegate", reason };
};
const open: Judged = { verdict: "allow", reason: { because: "no-allow-policy" } };

const rows: [what: string, now: Judged, trial: Judged, outcome: "same" | "differs"][] = [
  ["the same rule", allowed(rule("a")), allowed(rule("a")), "same"],
  ["another verdict", open, denied(rule("a")), "differs"],
  ["another policy", denied(rule("a")), denied(rule("b")), "differs"],
  ["another rule of the policy", denied(rule("a", 0)), denied(rule("a", 1)), "differs"],
  ["another reason", open, allowed(rule("a")), "differs"],
  ["no rule matched, of other policies", near("a"), near("a", "b"), "same"],
  ["the same authorizer", asked("opa", open), asked("opa", open), "same"],
  ["another authorizer", asked("opa", open), asked("opb", open), "differs"],
  [
    "another verdict once they allow it",
    asked("opa", open),
    asked("opa", denied(rule("a"))),
    "differs",
  ],
];
for (const [what, now, dryRun, outcome] of rows) {
  test(`AP-110 on trial, ${what}: ${outcome}`, () => {
    assert.deepEqual(trialOutcome({ ...now, dryRun }), outcome === "same" ? "same" : dryRun);
  });
}

test("AP-110 where no policy is on trial, there is no outcome", () => {
  assert.equal(trialOutcome(open), "no-trial");
});
