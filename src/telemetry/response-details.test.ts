import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reason } from "../policy/decision.ts";
import { responseCodeDetails } from "./response-details.ts";

const matched = {
  policy: { kind: "AuthorizationPolicy", namespace: "production", name: "x" },
  rule: 0,
  source: { file: "p.yaml", line: 1 },
};

const details: { readonly [because in Reason["because"]]: [Reason, string | null] } = {
  "matched-deny": [
    { because: "matched-deny", matched },
    "rbac_access_denied_matched_policy[ns[production]-policy[x]-rule[0]]",
  ],
  "rate-limited": [
    {
      because: "rate-limited",
      limit: "shop/checkout/per-caller",
      origin: {
        ref: { kind: "RateLimit", namespace: "shop", name: "checkout" },
        source: { file: "limits.yaml", line: 9 },
      },
      scope: "Local",
      counts: "requests",
      amount: 100,
      perMs: 60_000,
      key: [],
      left: 0,
      retryAfterMs: 250,
    },
    "local_rate_limited",
  ],
  "token-refused": [
    { because: "token-refused", problem: "Jwt is expired", rules: [] },
    "jwt_authn_access_denied{Jwt_is_expired}",
  ],
  "no-allow-matched": [
    { because: "no-allow-matched", considered: [], nearest: [] },
    "rbac_access_denied_matched_policy[none]",
  ],
  "plaintext-refused": [
    { because: "plaintext-refused", origin: "default" },
    "filter_chain_not_found",
  ],
  "tls-refused": [{ because: "tls-refused", origin: "default" }, "filter_chain_not_found"],
  "peer-not-verified": [{ because: "peer-not-verified", problem: "x" }, "peer_not_verified"],
  "told-by-envoy": [{ because: "told-by-envoy", details: "ext_authz_denied" }, "ext_authz_denied"],
  "not-own-workload": [{ because: "not-own-workload", problem: "x" }, "not_own_workload"],
  "callee-not-verified": [
    { because: "callee-not-verified", problem: "x", origin: "default" },
    "upstream_reset_before_response_started{connection_failure}",
  ],
  "network-policy": [
    { because: "network-policy", direction: "ingress", policies: [] },
    "network_policy_denied_ingress",
  ],
  "unknown-destination": [{ because: "unknown-destination" }, "direct_response"],
  "matched-custom": [
    {
      because: "matched-custom",
      delegations: [{ provider: "opa", matched }],
      afterwards: { verdict: "allow", reason: { because: "no-allow-policy" } },
    },
    null,
  ],
  "no-authorizer": [
    { because: "no-authorizer", provider: "opa", matched, problem: "x" },
    "rbac_access_denied_matched_policy[ns[production]-policy[x]-rule[0]-deny-due-to-bad-CUSTOM-action]",
  ],
  "authorizer-denied": [
    { because: "authorizer-denied", provider: "opa", matched, status: 401 },
    "ext_authz_denied",
  ],
  "authorizer-failed": [
    { because: "authorizer-failed", provider: "opa", matched, problem: "no answer" },
    "ext_authz_error",
  ],
  "matched-allow": [{ because: "matched-allow", matched }, null],
  "no-allow-policy": [{ because: "no-allow-policy" }, null],
  "no-sidecar": [{ because: "no-sidecar" }, null],
};
test("a NetworkPolicy of the caller is told from one of the callee", () => {
  const reason: Reason = { because: "network-policy", direction: "egress", policies: [] };
  assert.equal(responseCodeDetails(reason), "network_policy_denied_egress");
});

for (const [because, [reason, expected]] of Object.entries(details)) {
  test(`AP-34, AP-131, PA-37: ${because} is ${expected}`, () => {
    assert.equal(responseCodeDetails(reason), expected);
  });
}
