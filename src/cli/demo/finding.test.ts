import assert from "node:assert/strict";
import { test } from "node:test";
import { accessLogEntry } from "../../../test/kit/access-log-entry.ts";
import type { Decision, Reason } from "../../policy/decision.ts";
import { compareDecision, type DecisionExpectation } from "./decision-expectation.ts";
import { findingOf } from "./finding.ts";

const policy = { kind: "AuthorizationPolicy", namespace: "production", name: "api-access" };
const rule = { policy, rule: 0, source: { file: "authorization.yaml", line: 39 } };
const unmet = [{ field: "to.operation.methods", expected: "GET", got: "PUT" }];
const decide = (verdict: Decision["verdict"], reason: Reason): Decision => ({ verdict, reason });

const allowed = decide("allow", { because: "matched-allow", matched: rule });
const notAllowed = decide("deny", {
  because: "no-allow-matched",
  considered: [policy],
  nearest: [{ rule, unmet }],
});
const plaintext = decide("deny", { because: "plaintext-refused", origin: "default" });

test("a call that no sidecar wrote about is a surprise, whatever the caller saw", () => {
  const outcome = { status: 200 };
  const { verdict, surprises } = findingOf(undefined, { outcome, surprises: [] });
  assert.equal(verdict, "200");
  assert.deepEqual(surprises, ["no log line of a sidecar is about this call"]);
});

test("verdict, reason and identities are those of the log, not what the caller saw", () => {
  const entry = accessLogEntry({ response_code: 403, decision: notAllowed });
  const finding = findingOf(entry, { outcome: { status: 200 }, surprises: ["status"] });
  assert.equal(finding.verdict, "refused 403");
  assert.match(finding.because, /^no ALLOW rule matched; nearest production\/api-access/);
  assert.equal(finding.identities, "production/frontend -> production/api");
  assert.deepEqual(finding.surprises, ["status"]);
});

test("a connection without a status, and without proof", () => {
  const nobody = { source_principal: null, destination_principal: null, response_code: null };
  const entry = accessLogEntry({ ...nobody, decision: plaintext });
  const { verdict, identities } = findingOf(entry, { outcome: {}, surprises: [] });
  assert.deepEqual([verdict, identities], ["refused", "nobody proved anything"]);
});

const cases: [name: string, Decision | null, DecisionExpectation, surprises: string[]][] = [
  ["as expected", allowed, { because: "matched-allow", policy: "api-access" }, []],
  [
    "another reason",
    allowed,
    { because: "matched-deny" },
    ["reason: expected matched-deny, got matched-allow"],
  ],
  [
    "another policy",
    allowed,
    { because: "matched-allow", policy: "other" },
    ["policy: expected other, got api-access"],
  ],
  [
    "as expected, with the field that was not met",
    notAllowed,
    { because: "no-allow-matched", policy: "api-access", unmet: "to.operation.methods" },
    [],
  ],
  [
    "another field",
    notAllowed,
    { because: "no-allow-matched", unmet: "to.operation.paths" },
    ["unmet field: expected to.operation.paths, got to.operation.methods"],
  ],
  ["the mesh's default", plaintext, { because: "plaintext-refused", policy: "default" }, []],
  [
    "no decision at all",
    null,
    { because: "matched-allow", policy: "api-access" },
    ["reason: expected matched-allow, got none", "policy: expected api-access, got none"],
  ],
];
for (const [name, decision, expected, surprises] of cases) {
  test(`a decision compared: ${name}`, () => {
    assert.deepEqual(compareDecision(decision, expected), surprises);
  });
}
