/** What the interpreter makes of rules that match: empty forms, protocols, trials, delegation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../../src/api/parse-resources.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import { interpret, type NaiveDecision } from "./interpret.ts";
import { judgeYaml, MESH, policyYaml, SLEEP, SLEEP_TCP, type WrittenPolicy } from "./judge-yaml.ts";
import { trafficOf } from "./traffic-of-facts.ts";

const judge = (policies: readonly WrittenPolicy[], facts: TrafficFacts = SLEEP) =>
  judgeYaml(policies.map(policyYaml).join(""), facts);

const GET = "to: [{operation: {methods: [GET]}}]";
const MIXED = "to: [{operation: {methods: [GET]}}, {operation: {ports: ['8080']}}]";
const PRINCIPAL = "from: [{source: {principals: ['*']}}]";
const STRANGER = "from: [{source: {principals: [nobody]}}]";

const FORMS: readonly [
  rule: string,
  policies: readonly WrittenPolicy[],
  verdict: "allow" | "deny" | "delegate",
][] = [
  ["AP-7 no policy", [], "allow"],
  ["AP-20 ALLOW without rules", [{}], "deny"],
  ["AP-20 AUDIT without rules", [{ action: "AUDIT" }], "allow"],
  ["AP-21 ALLOW with no rules", [{ rules: [] }], "deny"],
  ["AP-22 ALLOW everything", [{ rules: ["{}"] }], "allow"],
  ["AP-22 DENY everything", [{ action: "DENY", rules: ["{}"] }], "deny"],
  ["AP-22 delegate everything", [{ action: "CUSTOM", rules: ["{}"] }], "delegate"],
  ["AP-22 AUDIT everything", [{ action: "AUDIT", rules: ["{}"] }], "allow"],
  ["AP-25 two ALLOW policies", [{ name: "a" }, { name: "b", rules: ["{}"] }], "allow"],
  [
    "AP-1 DENY before ALLOW",
    [{ rules: ["{}"] }, { name: "d", action: "DENY", rules: [GET] }],
    "deny",
  ],
];
for (const [rule, policies, verdict] of FORMS) {
  test(`${rule}: ${verdict}`, () => assert.equal(judge(policies).verdict, verdict));
}

const REFUSED = [
  "from: []",
  "to: []",
  "from: [{}]",
  "from: [{source: {}}]",
  "to: [{operation: {}}]",
];
for (const rule of [...REFUSED, "when: [{key: source.ip}]"]) {
  test(`AP-23, AP-24: ${rule} never reaches an interpreter`, () => {
    const { resources, issues } = parseResources(policyYaml({ rules: [rule] }), "policy.yaml");
    assert.equal(resources.length, 0);
    assert.ok(issues.length > 0);
  });
}

const ON_TCP: readonly [
  id: string,
  policy: WrittenPolicy,
  verdict: "allow" | "deny" | "delegate",
][] = [
  ["AP-60 identity is known on TCP", { rules: [PRINCIPAL] }, "allow"],
  ["AP-61 an ALLOW rule with an HTTP field is dropped", { rules: [GET] }, "deny"],
  ["AP-61 with all its alternatives (QK-62)", { rules: [MIXED] }, "deny"],
  ["AP-61 the other rules stay", { rules: [GET, PRINCIPAL] }, "allow"],
  ["AP-62 a DENY rule loses its HTTP fields", { action: "DENY", rules: [GET] }, "deny"],
  ["AP-62 and keeps the others", { action: "DENY", rules: [`{${GET}, ${STRANGER}}`] }, "allow"],
  ["AP-65, QK-60 CUSTOM is never skipped", { action: "CUSTOM", rules: [GET] }, "delegate"],
];
for (const [id, policy, verdict] of ON_TCP) {
  test(`${id}: ${verdict}`, () => assert.equal(judge([policy], SLEEP_TCP).verdict, verdict));
}

test("AP-62: an AUDIT rule loses its HTTP fields", () => {
  const { audited } = judge(
    [{ action: "AUDIT", rules: ["to: [{operation: {methods: [PUT]}}]"] }],
    SLEEP_TCP,
  );
  assert.equal(audited, "ns[default]-policy[policy]-rule[0]");
});

test("AP-63: the same rules on HTTP", () => {
  assert.equal(judge([{ rules: [GET] }]).verdict, "allow");
  assert.equal(judge([{ action: "DENY", rules: [`{${GET}, ${STRANGER}}`] }]).verdict, "allow");
});

const TRIALS: readonly [value: string, verdict: "allow" | "deny"][] = [
  ["true", "allow"],
  ["T", "allow"],
  ["1", "allow"],
  ["false", "deny"],
  ["0", "deny"],
];
for (const [dryRun, verdict] of TRIALS) {
  test(`AP-110: DENY with dry-run "${dryRun}": ${verdict}`, () => {
    assert.equal(judge([{ action: "DENY", dryRun, rules: ["{}"] }]).verdict, verdict);
  });
}

test("AP-111: the trial is told beside the verdict, enforced policies counting too", () => {
  const policies = [
    { rules: [PRINCIPAL] },
    { name: "try", action: "DENY", dryRun: "true", rules: [GET] },
  ];
  assert.deepEqual(judge(policies), {
    verdict: "allow",
    because: "matched-allow",
    matched: "ns[default]-policy[policy]-rule[0]",
    dryRun: {
      verdict: "deny",
      because: "matched-deny",
      matched: "ns[default]-policy[try]-rule[0]",
    },
  });
});

test("AP-112: with ALLOW on trial only, nothing is enforced", () => {
  assert.deepEqual(judge([{ dryRun: "true" }]), {
    verdict: "allow",
    because: "no-allow-policy",
    dryRun: { verdict: "deny", because: "no-allow-matched" },
  });
});

test("AP-113: AUDIT on trial means nothing; CUSTOM on trial asks nobody", () => {
  assert.deepEqual(onTrial("AUDIT"), { verdict: "allow", because: "no-allow-policy" });
  const custom = onTrial("CUSTOM");
  assert.equal(custom.verdict, "allow");
  assert.equal(custom.dryRun?.verdict, "delegate");
});

/** Views could carry it, though the webhook lets no user write it. */
function onTrial(action: "AUDIT" | "CUSTOM"): NaiveDecision {
  const rules = [{ line: 1, from: [], to: [], when: [] }];
  const policy = {
    ref: REF,
    source: SOURCE,
    action,
    dryRun: true,
    provider: "opa",
    rules,
  } as const;
  const [audit, custom] = action === "AUDIT" ? [[policy], []] : [[], [policy]];
  return interpret({ custom, audit, deny: [], allow: [] }, trafficOf(SLEEP), { trust: MESH });
}
const REF = { kind: "AuthorizationPolicy", namespace: "default", name: "policy" };
const SOURCE = { file: "policy.yaml", line: 1 };

test("AP-122, AP-123: every provider is asked, by its exact name and in the order of names", () => {
  const custom = ["opa-2", "opa"].map((name) => ({
    name,
    action: "CUSTOM",
    rules: [STRANGERS, GET],
  }));
  assert.deepEqual(judge([...custom, { rules: [STRANGER] }]), {
    verdict: "delegate",
    because: "matched-custom",
    delegations: [
      "opa: ns[default]-policy[opa]-rule[1]",
      "opa-2: ns[default]-policy[opa-2]-rule[1]",
    ],
    afterwards: { verdict: "deny", because: "no-allow-matched" },
  });
});
const STRANGERS = "to: [{operation: {methods: [PUT]}}]";

test("AP-35: rule 10 is told before rule 2", () => {
  const rules = Array.from({ length: 11 }, (_, index) => (index < 2 ? STRANGER : PRINCIPAL));
  assert.equal(judge([{ rules }]).matched, "ns[default]-policy[policy]-rule[10]");
});

const UNREADABLE: readonly [
  action: "ALLOW" | "DENY",
  values: readonly string[],
  matches: boolean,
][] = [
  ["ALLOW", ["8080", "http"], false],
  ["DENY", ["http"], true],
  ["DENY", ["http", "80"], true],
  ["DENY", ["80"], false],
  ["DENY", ["http", "8080"], true],
];
for (const [action, ports, matches] of UNREADABLE) {
  test(`AP-36: ${action} with ports ${ports} ${matches ? "matches" : "does not match"}`, () => {
    const rule = { line: 1, from: [], to: [{ ports }], when: [] };
    const policy = { ref: REF, source: SOURCE, action, rules: [rule] };
    const [allow, deny] = action === "ALLOW" ? [[policy], []] : [[], [policy]];
    const decision = interpret({ custom: [], audit: [], deny, allow }, trafficOf(SLEEP), {
      trust: MESH,
    });
    assert.equal(decision.matched !== undefined, matches);
  });
}

const TEMPLATES: readonly [
  action: "ALLOW" | "DENY",
  field: string,
  path: string,
  matches: boolean,
][] = [
  ["ALLOW", "paths", "/a/b=c", false],
  ["DENY", "paths", "/a/b=c", true],
  ["DENY", "paths", "/a/ü", true],
  ["ALLOW", "notPaths", "/a/b=c", false],
  ["DENY", "notPaths", "/a/b=c", true],
];
for (const [action, field, path, matches] of TEMPLATES) {
  test(`AP-72, QK-10: ${action} ${field} /a/{*} ${matches ? "is for" : "is not for"} ${path}`, () => {
    const rules = [`to: [{operation: {${field}: ["/a/{*}"]}}]`];
    const facts = { ...SLEEP, request: { method: "GET", remoteAddress: "::1", headers: {}, path } };
    assert.equal(judge([{ action, rules }], facts).matched !== undefined, matches);
  });
}
