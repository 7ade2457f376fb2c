import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, Reason } from "./decision.ts";
import { explain, summarize, summarizeAside } from "./explain.ts";
import type { LimitOutcome } from "./rate-limits/limit-outcome.ts";

const matched = {
  policy: { kind: "AuthorizationPolicy", namespace: "production", name: "no-admin" },
  rule: 1,
  source: { file: "policies.yaml", line: 12 },
};
const origin = {
  ref: { kind: "PeerAuthentication", namespace: "istio-system", name: "default" },
  source: { file: "mesh.yaml", line: 3 },
};
const chosenBy = {
  ref: { kind: "DestinationRule", namespace: "shop", name: "old" },
  source: { file: "rules.yaml", line: 7 },
};

const VERDICTS = [
  ["^Allowed", "allow"],
  ["^Delegated", "delegate"],
] as const;

/** One row for each reason there is: the compiler holds the list complete. */
const rows: {
  readonly [because in Reason["because"]]: [Reason, sentence: RegExp, summary: string];
} = {
  "matched-allow": [
    { because: "matched-allow", matched },
    /^Allowed: rules\[1\] of AuthorizationPolicy production\/no-admin \(policies\.yaml:12\) matches, an ALLOW rule\.$/,
    "ALLOW production/no-admin rules[1] (policies.yaml:12)",
  ],
  "matched-custom": [
    {
      because: "matched-custom",
      delegations: [{ provider: "opa", matched }],
      afterwards: { verdict: "allow", reason: { because: "no-allow-policy" } },
    },
    /^Delegated: opa is asked, because rules\[1\] of AuthorizationPolicy production\/no-admin \(policies\.yaml:12\) matches\. Once all allow it, it is allowed: no ALLOW policy applies/,
    "CUSTOM opa by production/no-admin rules[1] (policies.yaml:12); then no ALLOW policy applies",
  ],
  "no-authorizer": [
    { because: "no-authorizer", provider: "opa", matched, problem: "no such provider" },
    /^Denied: rules\[1\] of .* matches, a CUSTOM rule, and its authorizer opa cannot be asked: no such provider\.$/,
    "CUSTOM opa by production/no-admin rules[1] (policies.yaml:12): no such provider",
  ],
  "authorizer-denied": [
    { because: "authorizer-denied", provider: "opa", matched, status: 401 },
    /^Denied: rules\[1\] of .* matches, a CUSTOM rule, and its authorizer opa denies\.$/,
    "CUSTOM opa by production/no-admin rules[1] (policies.yaml:12): denied by the authorizer",
  ],
  "authorizer-failed": [
    { because: "authorizer-failed", provider: "opa", matched, problem: "no answer within 9 ms" },
    /^Denied: rules\[1\] of .* matches, a CUSTOM rule, and its authorizer opa gave no answer: no answer within 9 ms\.$/,
    "CUSTOM opa by production/no-admin rules[1] (policies.yaml:12): no answer: no answer within 9 ms",
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
      key: [
        { name: "source.principal", value: "cluster.local/ns/shop/sa/web" },
        { name: "request.headers[x]" },
      ],
      left: 0,
      retryAfterMs: 250,
    },
    /^Denied: limit per-caller of RateLimit shop\/checkout \(limits\.yaml:9\), 100 requests in 1m of each pod, for source\.principal cluster\.local\/ns\/shop\/sa\/web, request\.headers\[x\] \(none\), is spent; there is room again in 250 ms\.$/,
    "rate limit shop/checkout/per-caller (limits.yaml:9): 100 requests in 1m, for source.principal cluster.local/ns/shop/sa/web, request.headers[x] (none)",
  ],
  "token-refused": [
    {
      because: "token-refused",
      problem: "Jwt is expired",
      rules: [
        { origin, issuer: "https://a", outcome: "good" },
        { origin, issuer: "", outcome: "Jwt is expired" },
      ],
    },
    /^Denied: the request's token is refused: Jwt is expired\.\n {2}PeerAuthentication .*mesh\.yaml:3\), issuer "https:\/\/a": good\n {2}.*, any issuer: Jwt is expired$/,
    "token refused: Jwt is expired, by istio-system/default (mesh.yaml:3)",
  ],
  "matched-deny": [
    { because: "matched-deny", matched },
    /^Denied: rules\[1\] of AuthorizationPolicy production\/no-admin \(policies\.yaml:12\) matches, a DENY rule\.$/,
    "DENY production/no-admin rules[1] (policies.yaml:12)",
  ],
  "no-allow-policy": [
    { because: "no-allow-policy" },
    /^Allowed: no ALLOW policy applies/,
    "no ALLOW policy applies",
  ],
  "no-allow-matched": [
    {
      because: "no-allow-matched",
      considered: [matched.policy],
      nearest: [
        { rule: matched, unmet: [{ field: "to.operation.methods", expected: "GET", got: "PUT" }] },
      ],
    },
    /^Denied: .*\(AuthorizationPolicy production\/no-admin\)\.\nThe nearest rule:\n {2}rules\[1\] of .*policies\.yaml:12\)\n {4}to\.operation\.methods: expected GET; got PUT$/,
    "no ALLOW rule matched; nearest production/no-admin rules[1] (policies.yaml:12)",
  ],
  "plaintext-refused": [
    { because: "plaintext-refused", origin },
    /^Denied: the caller speaks plaintext, and the port demands mutual TLS \(STRICT\), set by PeerAuthentication istio-system\/default \(mesh\.yaml:3\)\.$/,
    "plaintext refused, STRICT by istio-system/default (mesh.yaml:3)",
  ],
  "tls-refused": [
    { because: "tls-refused", origin: "default" },
    /^Denied: .*TLS.*DISABLE.*the mesh's default/,
    "TLS refused, DISABLE by default",
  ],
  "peer-not-verified": [
    { because: "peer-not-verified", problem: "its certificate has expired" },
    /^Denied: .*its certificate has expired/,
    "caller not verified: its certificate has expired",
  ],
  "callee-not-verified": [
    { because: "callee-not-verified", problem: "it has no sidecar", origin: chosenBy },
    /^Denied: .*mutual TLS, set by DestinationRule shop\/old \(rules\.yaml:7\), .*it has no sidecar\.$/,
    "callee not verified: it has no sidecar; mutual TLS by shop/old (rules.yaml:7)",
  ],
  "network-policy": [
    {
      because: "network-policy",
      direction: "ingress",
      policies: [{ kind: "NetworkPolicy", namespace: "shop", name: "api" }],
    },
    /^Denied: who may call the callee is limited by NetworkPolicy shop\/api, which does not allow this connection\.$/,
    "NetworkPolicy refuses ingress: shop/api",
  ],
  "unknown-destination": [
    { because: "unknown-destination" },
    /^Denied: what was called is no destination of the mesh, .*REGISTRY_ONLY or a pod's HTTP proxy: a ServiceEntry would make it known\.$/,
    "no destination of the mesh (REGISTRY_ONLY)",
  ],
  "no-sidecar": [{ because: "no-sidecar" }, /^Allowed: .*no sidecar/, "the callee has no sidecar"],
  "not-own-workload": [
    { because: "not-own-workload", problem: "process 7 is not below process 5" },
    /^Denied: the pod's outbound side serves the pod's own processes alone: process 7 is not below process 5\.$/,
    "not the pod's own process: process 7 is not below process 5",
  ],
  "told-by-envoy": [
    { because: "told-by-envoy", details: "local_rate_limited" },
    /^Denied: the pod's Envoy decided, and says: local_rate_limited\.$/,
    "Envoy: local_rate_limited",
  ],
};
for (const [because, [reason, sentence, summary]] of Object.entries(rows)) {
  test(`explains ${because}`, () => {
    const verdict =
      VERDICTS.find(([opening]) => sentence.source.startsWith(opening))?.[1] ?? "deny";
    assert.match(explain({ verdict, reason }), sentence);
    assert.equal(summarize(reason), summary);
  });
}

const chosen: [Reason, sentence: RegExp, summary: string][] = [
  [
    { because: "plaintext-refused", origin, chosenBy },
    /^Denied: the caller speaks plaintext, set by DestinationRule shop\/old \(rules\.yaml:7\), and the port demands .*PeerAuthentication istio-system\/default \(mesh\.yaml:3\)\.$/,
    "plaintext refused, STRICT by istio-system/default (mesh.yaml:3); plaintext by shop/old (rules.yaml:7)",
  ],
  [
    { because: "tls-refused", origin, chosenBy },
    /^Denied: the caller speaks TLS, set by DestinationRule shop\/old \(rules\.yaml:7\), and .*DISABLE.*istio-system\/default/,
    "TLS refused, DISABLE by istio-system/default (mesh.yaml:3); TLS by shop/old (rules.yaml:7)",
  ],
];
for (const [reason, sentence, summary] of chosen) {
  test(`explains ${reason.because} that a DestinationRule of the caller brought about`, () => {
    assert.match(explain({ verdict: "deny", reason }), sentence);
    assert.equal(summarize(reason), summary);
  });
}

test("of several NetworkPolicies each is named", () => {
  const policies = ["all", "web"].map((name) => ({
    kind: "NetworkPolicy",
    namespace: "shop",
    name,
  }));
  const reason: Reason = { because: "network-policy", direction: "egress", policies };
  assert.equal(
    explain({ verdict: "deny", reason }),
    "Denied: what the caller may call is limited by NetworkPolicy shop/all, NetworkPolicy shop/web, none of which allows this connection.",
  );
  assert.equal(summarize(reason), "NetworkPolicy refuses egress: shop/all, shop/web");
});

test("policies without rules are said to have none (AP-20)", () => {
  const nothing = {
    because: "no-allow-matched",
    considered: [matched.policy],
    nearest: [],
  } as const;
  assert.match(explain({ verdict: "deny", reason: nothing }), /no-admin has no rules/);
  const both = { ...nothing, considered: [matched.policy, matched.policy] };
  assert.match(explain({ verdict: "deny", reason: both }), /have no rules/);
  assert.equal(summarize(nothing), "no ALLOW rule matched");
});

test("a reason from a newer version is explained, not thrown at the reader", () => {
  const reason = JSON.parse('{"because":"from-the-future"}') as Reason;
  assert.match(explain({ verdict: "deny", reason }), /does not know/);
  assert.match(summarize(reason), /from-the-future/);
});

test("what AUDIT policies and policies on trial say is told beside the verdict (AP-9, AP-110)", () => {
  const decision: Decision = {
    verdict: "allow",
    reason: { because: "no-allow-policy" },
    audited: matched,
    dryRun: { verdict: "deny", reason: { because: "matched-deny", matched } },
  };
  const [verdict, audited, trial] = explain(decision).split("\n");
  assert.match(verdict ?? "", /^Allowed: /);
  assert.match(audited ?? "", /^Audited: rules\[\d\] of .* matches, an AUDIT rule\.$/);
  assert.match(trial ?? "", /^With the policies on trial in force .*, denied: .* a DENY rule\.$/);
  const [shortAudit, shortTrial] = summarizeAside(decision);
  assert.match(shortAudit ?? "", /^AUDIT /);
  assert.match(shortTrial ?? "", /^on trial denied: DENY /);
  assert.deepEqual(summarizeAside({ verdict: "allow", reason: decision.reason }), []);
});

test("policies on trial that change nothing are passed over in silence (AP-110)", () => {
  const denied: Decision = { verdict: "deny", reason: { because: "matched-deny", matched } };
  assert.equal(explain({ ...denied, dryRun: denied }), explain(denied));
  assert.deepEqual(summarizeAside({ ...denied, dryRun: denied }), []);
});

test("limits on trial that had no room are told beside the verdict", () => {
  const limit: LimitOutcome = {
    limit: "shop/checkout/all",
    origin: {
      ref: { kind: "RateLimit", namespace: "shop", name: "checkout" },
      source: { file: "limits.yaml", line: 9 },
    },
    scope: "Local",
    counts: "requests",
    amount: 10,
    perMs: 1_000,
    key: [],
    left: 0,
    retryAfterMs: 39.4,
  };
  const reason = { because: "no-allow-policy" } as const;
  const decision: Decision = { verdict: "allow", reason, shadowLimits: [limit] };
  assert.equal(
    explain(decision).split("\n")[1],
    "On trial (mode: Shadow), limit all of RateLimit shop/checkout (limits.yaml:9), 10 requests in 1s of each pod, is spent; there is room again in 40 ms.",
  );
  assert.deepEqual(summarizeAside(decision), [
    "on trial: rate limit shop/checkout/all (limits.yaml:9): 10 requests in 1s",
  ]);
});

test("what authorizers answered is told, each in a line", () => {
  const decision: Decision = {
    verdict: "allow",
    reason: { because: "no-allow-policy" },
    asked: [
      { provider: "a", outcome: "allowed", milliseconds: 3 },
      { provider: "b", outcome: "denied", milliseconds: 4, status: 401, dryRun: true },
      { provider: "c", outcome: "passed unasked", milliseconds: 500, problem: "no answer" },
    ],
  };
  const said = [
    "a allowed in 3 ms",
    "b (on trial) denied with 401 in 4 ms",
    "c gave no answer, and is passed by (failOpen) in 500 ms: no answer",
  ];
  const told = ["External authorizers were asked:", ...said.map((line) => `  ${line}`)];
  assert.deepEqual(explain(decision).split("\n").slice(1), told);
  assert.deepEqual(summarizeAside(decision), said);
});
