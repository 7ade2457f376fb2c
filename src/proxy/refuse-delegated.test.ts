import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../policy/decision.ts";
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
