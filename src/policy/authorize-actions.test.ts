/** CUSTOM, AUDIT and policies on trial, beside those that are enforced. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterTrust, connectionFrom, requestOn } from "../../test/kit/mesh-parts.ts";
import type { AuthorizationAction, AuthorizationRule } from "../api/authorization-policy.ts";
import {
  authorizeConnection,
  authorizeLocally,
  authorizeRequest,
  bindConnection,
  compileAuthorization,
  findDelegations,
} from "./authorize.ts";
import type { Decision } from "./decision.ts";
import type { TokenPayload } from "./traffic.ts";
import type { AppliedPolicy } from "./workload-view.ts";

type Rule = Partial<AuthorizationRule>;
const all: Rule = {};
const get: Rule = { to: [{ methods: ["GET"] }] };
const put: Rule = { to: [{ methods: ["PUT"] }] };

function policy(
  action: AuthorizationAction,
  rules: readonly Rule[],
  options: { name?: string; provider?: string; dryRun?: true } = {},
): AppliedPolicy {
  const { name = "p", ...rest } = options;
  return {
    ref: { kind: "AuthorizationPolicy", namespace: "default", name },
    source: { file: "policies.yaml", line: 1 },
    action,
    ...rest,
    rules: rules.map((rule) => ({ line: 1, from: [], to: [], when: [], ...rule })),
  };
}

function compile(policies: readonly AppliedPolicy[], protocol: "http" | "tcp") {
  const of = (action: AuthorizationAction) => policies.filter((one) => one.action === action);
  const authorization = {
    custom: of("CUSTOM"),
    audit: of("AUDIT"),
    deny: of("DENY"),
    allow: of("ALLOW"),
  };
  return compileAuthorization(authorization, { protocol, trust: clusterTrust });
}

const sleep = connectionFrom("spiffe://cluster.local/ns/default/sa/sleep");

function judgeHttp(policies: readonly AppliedPolicy[], token?: TokenPayload): Decision {
  const request = requestOn(sleep, token ? { token } : {});
  return authorizeRequest(compile(policies, "http"), request);
}

function judgeTcp(policies: readonly AppliedPolicy[]): Decision {
  return authorizeConnection(compile(policies, "tcp"), sleep);
}

/** The verdict and, for "delegate", who is asked and what comes then. */
function tell({ verdict, reason }: Pick<Decision, "verdict" | "reason">): string {
  if (reason.because !== "matched-custom") return `${verdict} ${reason.because}`;
  const asked = reason.delegations.map(({ provider, matched }) => {
    return `${provider} by ${matched.policy.name}[${matched.rule}]`;
  });
  return `${verdict} ${asked.join(", ")}; then ${tell(reason.afterwards)}`;
}

const opa = { provider: "opa" };
const requestPrincipals = ["*"];
const cases: [id: string, policies: AppliedPolicy[], told: string, token?: TokenPayload][] = [
  ["AP-2", [policy("CUSTOM", [get], opa)], "delegate opa by p[0]; then allow no-allow-policy"],
  ["AP-120 others pass", [policy("CUSTOM", [put], opa)], "allow no-allow-policy"],
  ["AP-20", [policy("CUSTOM", [], opa)], "allow no-allow-policy"],
  [
    "AP-126",
    [policy("CUSTOM", [get], opa), policy("DENY", [get])],
    "delegate opa by p[0]; then deny matched-deny",
  ],
  [
    "AP-122 by name, one rule each",
    [
      policy("CUSTOM", [put, get, all], { name: "b", provider: "zeta" }),
      policy("CUSTOM", [get], { name: "a", ...opa }),
      policy("CUSTOM", [all], { name: "c", ...opa }),
    ],
    "delegate opa by a[0], zeta by b[1]; then allow no-allow-policy",
  ],
  [
    "AP-123",
    [policy("CUSTOM", [put], opa), policy("CUSTOM", [get], { name: "q", provider: "opa-2" })],
    "delegate opa-2 by q[0]; then allow no-allow-policy",
  ],
  [
    "AP-120 no name at all",
    [policy("CUSTOM", [get])],
    "delegate  by p[0]; then allow no-allow-policy",
  ],
  [
    "AP-3 no token yet",
    [policy("CUSTOM", [{ from: [{ requestPrincipals }] }], opa)],
    "allow no-allow-policy",
    { iss: "i", sub: "s" },
  ],
  [
    "AP-3 and so none of them",
    [policy("CUSTOM", [{ from: [{ notRequestPrincipals: requestPrincipals }] }], opa)],
    "delegate opa by p[0]; then allow no-allow-policy",
    { iss: "i", sub: "s" },
  ],
  ["AP-112", [policy("ALLOW", [put], { dryRun: true })], "allow no-allow-policy"],
  ["AP-111", [policy("DENY", [all], { dryRun: true })], "allow no-allow-policy"],
  ["AP-113", [policy("CUSTOM", [all], { ...opa, dryRun: true })], "allow no-allow-policy"],
];
for (const [id, policies, told, token] of cases) {
  test(`${id}: ${told}`, () => assert.equal(tell(judgeHttp(policies, token)), told));
}

const trials: [id: string, policies: AppliedPolicy[], trial: string | undefined][] = [
  ["no trial", [policy("ALLOW", [get])], undefined],
  ["AP-112", [policy("ALLOW", [put], { dryRun: true })], "deny no-allow-matched"],
  ["AP-111", [policy("DENY", [get], { dryRun: true })], "deny matched-deny"],
  [
    "enforced and on trial together",
    [policy("ALLOW", [get]), policy("ALLOW", [put], { name: "q", dryRun: true })],
    "allow matched-allow",
  ],
  [
    "AP-113 CUSTOM",
    [policy("CUSTOM", [get], { ...opa, dryRun: true })],
    "delegate opa by p[0]; then allow no-allow-policy",
  ],
  ["AP-113 AUDIT", [policy("AUDIT", [get], { dryRun: true })], undefined],
];
for (const [id, policies, trial] of trials) {
  test(`on trial, ${id}: ${trial ?? "nothing to tell"}`, () => {
    const { dryRun } = judgeHttp(policies);
    assert.equal(dryRun && tell(dryRun), trial);
  });
}

test("AP-9: AUDIT changes no verdict, and its first rule that matches is told", () => {
  const audit = policy("AUDIT", [put, get, all], { name: "watch" });
  for (const [policies, told] of [
    [[audit], "allow no-allow-policy"],
    [[audit, policy("DENY", [get])], "deny matched-deny"],
    [[audit, policy("CUSTOM", [get], opa)], "delegate opa by p[0]; then allow no-allow-policy"],
  ] as const) {
    const decision = judgeHttp(policies);
    assert.equal(tell(decision), told);
    assert.equal(decision.audited?.policy.name, "watch");
    assert.equal(decision.audited?.rule, 1);
  }
  assert.equal(judgeHttp([policy("AUDIT", [put])]).audited, undefined);
  assert.equal(judgeHttp([policy("AUDIT", [all], { dryRun: true })]).audited, undefined);
});

test("AP-62, AP-65, QK-60: on TCP, CUSTOM and AUDIT lose what is HTTP and match more", () => {
  const decision = judgeTcp([policy("CUSTOM", [put], opa), policy("AUDIT", [put])]);
  assert.equal(tell(decision), "delegate opa by p[0]; then allow no-allow-policy");
  assert.equal(decision.audited?.rule, 0);
});

test("AP-36: what cannot be read makes CUSTOM and AUDIT match more", () => {
  const broken: Rule = { from: [{ ipBlocks: ["nonsense"] }] };
  const decision = judgeHttp([policy("CUSTOM", [broken], opa), policy("AUDIT", [broken])]);
  assert.equal(decision.verdict, "delegate");
  assert.equal(decision.audited?.rule, 0);
});

test("AP-3: the stages of a request, first without its token, then with it", () => {
  const compiled = compile(
    [policy("CUSTOM", [get], opa), policy("ALLOW", [{ from: [{ requestPrincipals }] }])],
    "http",
  );
  const bound = bindConnection(compiled, sleep);
  const delegations = findDelegations(bound, requestOn(sleep));
  assert.deepEqual(
    delegations.map(({ provider }) => provider),
    ["opa"],
  );
  const withToken = requestOn(sleep, { token: { iss: "i", sub: "s" } });
  assert.equal(tell(authorizeLocally(bound, withToken)), "allow matched-allow");
  assert.equal(tell(authorizeLocally(bound, requestOn(sleep))), "deny no-allow-matched");
});

test("a denial tells who a token is for, and of its other claims only that they differ", () => {
  const rule: Rule = {
    when: [
      { key: "request.auth.claims[email]", values: ["a@b"], notValues: [] },
      { key: "request.auth.audiences", values: ["here"], notValues: [] },
    ],
  };
  const { reason } = judgeHttp([policy("ALLOW", [rule])], { email: "me@home", aud: ["there"] });
  assert.ok(reason.because === "no-allow-matched");
  assert.deepEqual(
    reason.nearest[0]?.unmet.map(({ expected, got }) => [expected, got]),
    [
      ["a@b", "another value"],
      ["here", "there"],
    ],
  );
});
