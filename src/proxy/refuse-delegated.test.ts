import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../policy/decision.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { refuseDelegated } from "./refuse-delegated.ts";

const matched = {
  policy: { kind: "AuthorizationPolicy", namespace: "shop", name: "ask" },
  rule: 0,
  source: { file: "p.yaml", line: 1 },
};
const allowed: Decision = { verdict: "allow", reason: { because: "no-allow-policy" } };

function delegated(provider: string): Decision {
  const delegations = [{ provider, matched }];
  return {
    verdict: "delegate",
    reason: { because: "matched-custom", delegations, afterwards: allowed },
    audited: matched,
  };
}

test("AP-120: what would be delegated is refused, and what AUDIT says stays", () => {
  assert.deepEqual(refuseDelegated(delegated("opa")), {
    verdict: "deny",
    reason: {
      because: "no-authorizer",
      provider: "opa",
      matched,
      problem: "this version asks no external authorizers",
    },
    audited: matched,
  });
});

test("AP-120: a policy that names nobody is refused in words of its own", () => {
  const { reason } = refuseDelegated(delegated(""));
  assert.ok(reason.because === "no-authorizer");
  assert.match(reason.problem, /names none/);
});

test("what nobody has to be asked about is as it was", () => {
  assert.equal(refuseDelegated(allowed), allowed);
});

test("AP-113, AP-120: the verdict on trial is what this sidecar would do", () => {
  const both = refuseDelegated({ ...delegated("opa"), dryRun: delegated("opa") });
  assert.deepEqual([both.verdict, both.dryRun?.verdict], ["deny", "deny"]);
  const { verdict, reason, dryRun } = refuseDelegated({ ...allowed, dryRun: delegated("opa") });
  assert.deepEqual([verdict, reason.because], ["allow", "no-allow-policy"]);
  assert.deepEqual([dryRun?.verdict, dryRun?.reason.because], ["deny", "no-authorizer"]);
});

test("AP-135: a refusal on trial is counted as one, with its rule", async () => {
  const metrics = createMetrics();
  metrics.recordDecision(refuseDelegated({ ...allowed, dryRun: delegated("opa") }));
  assert.match(
    await metrics.exposition(),
    /hauberk_dry_run_decisions_total\{verdict="deny",because="no-authorizer",policy="shop\/ask",rule="0"\} 1/,
  );
});
