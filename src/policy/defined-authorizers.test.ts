import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, Judged } from "./decision.ts";
import { refuseUndefinedAuthorizers } from "./defined-authorizers.ts";

const matched = {
  policy: { kind: "AuthorizationPolicy", namespace: "shop", name: "ask" },
  rule: 0,
  source: { file: "p.yaml", line: 1 },
};
const open: Judged = { verdict: "allow", reason: { because: "no-allow-policy" } };
const delegated: Judged = {
  verdict: "delegate",
  reason: {
    because: "matched-custom",
    delegations: [{ provider: "opa", matched }],
    afterwards: open,
  },
};

test("AP-120, AP-113: what a CUSTOM policy on trial delegates to nobody would be refused", () => {
  const { verdict, dryRun } = refuseUndefinedAuthorizers({ ...open, dryRun: delegated }, []);
  assert.equal(verdict, "allow");
  assert.equal(dryRun?.verdict, "deny");
  assert.equal(dryRun.reason.because, "no-authorizer");
});

test("AP-120: both are refused where both are delegated", () => {
  const decision = refuseUndefinedAuthorizers({ ...delegated, dryRun: delegated }, []);
  assert.deepEqual([decision.verdict, decision.dryRun?.verdict], ["deny", "deny"]);
});

test("what nobody has to be asked about is as it was", () => {
  const decision: Decision = { ...open, dryRun: open };
  assert.equal(refuseUndefinedAuthorizers(decision, []), decision);
});
