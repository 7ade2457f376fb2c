import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppliedAuthorizer } from "./applied-authorizers.ts";
import type { Decision, Judged } from "./decision.ts";
import { refuseUnusableAuthorizers } from "./unusable-authorizers.ts";

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
const unusable: AppliedAuthorizer = { name: "opa", kind: "unusable", problem: "it is gone" };
const usable: AppliedAuthorizer = {
  name: "opa",
  kind: "grpc",
  host: "opa.shop.svc.cluster.local",
  namespace: "shop",
  port: 9191,
  timeoutMs: 500,
  failOpen: true,
  statusOnError: 403,
  clearRouteCache: false,
};

test("AP-120, AP-113: what a CUSTOM policy on trial delegates to nobody would be refused", () => {
  const { verdict, dryRun } = refuseUnusableAuthorizers({ ...open, dryRun: delegated }, []);
  assert.equal(verdict, "allow");
  assert.equal(dryRun?.verdict, "deny");
  assert.equal(dryRun.reason.because, "no-authorizer");
});

test("AP-120: both are refused where both are delegated", () => {
  const decision = refuseUnusableAuthorizers({ ...delegated, dryRun: delegated }, [unusable]);
  assert.deepEqual([decision.verdict, decision.dryRun?.verdict], ["deny", "deny"]);
  assert.ok(decision.reason.because === "no-authorizer");
  assert.equal(decision.reason.problem, "it is gone");
});

test("whoever can be asked is for the sidecar to ask", () => {
  const decision: Decision = { ...delegated, dryRun: delegated };
  assert.equal(refuseUnusableAuthorizers(decision, [usable]), decision);
});

test("what nobody has to be asked about is as it was", () => {
  const decision: Decision = { ...open, dryRun: open };
  assert.equal(refuseUnusableAuthorizers(decision, undefined), decision);
});
