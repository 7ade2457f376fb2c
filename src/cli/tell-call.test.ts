import assert from "node:assert/strict";
import { test } from "node:test";
import { accessLogEntry } from "../../test/kit/access-log-entry.ts";
import type { Judged } from "../policy/decision.ts";
import { type AccessLogEntry, formatAccessLogEntry } from "../telemetry/access-log.ts";
import { tellCall } from "./tell-call.ts";

const denied = (name: string): Judged => ({
  verdict: "deny",
  reason: {
    because: "matched-deny",
    matched: {
      policy: { kind: "AuthorizationPolicy", namespace: "production", name },
      rule: 0,
      source: { file: "policy.yaml", line: 1 },
    },
  },
});
const allowed: Judged = { verdict: "allow", reason: { because: "no-allow-policy" } };
const missed: Judged = {
  verdict: "deny",
  reason: { because: "no-allow-matched", considered: [], nearest: [] },
};
const told = (changes: Partial<AccessLogEntry>): ReturnType<typeof tellCall> =>
  tellCall(formatAccessLogEntry(accessLogEntry(changes)));

test("OBS-1 a call is told in Istio's default format", () => {
  assert.deepEqual(told({ user_agent: "curl/8", request_id: "id-1" }), {
    time: "2026-01-01T00:00:00.000Z",
    access:
      '[2026-01-01T00:00:00.000Z] "GET /api/v1/orders HTTP/1.1" 200 - via_upstream - "-" 0 1 2 - "-" "curl/8" "id-1" "api:8080" "127.0.0.1:20002" inbound|8080|| 127.0.0.1:46320 127.0.0.1:20003 127.0.0.1:46622 - default',
    remarks: [],
  });
});

const A = "ns[production]-policy[a]-rule[0]";
const REMARKS: readonly (readonly [
  what: string,
  changes: Partial<AccessLogEntry>,
  remarks: readonly string[],
])[] = [
  [
    "a DENY rule",
    { decision: denied("a"), response_code_details: `rbac_access_denied_matched_policy[${A}]` },
    [
      `enforced denied, matched policy ${A}, enforced_policy=${A} rbac_access_denied_matched_policy[${A}]`,
    ],
  ],
  [
    "no ALLOW rule, of a connection",
    {
      decision: missed,
      response_code_details: null,
      connection_termination_details: "rbac_access_denied_matched_policy[none]",
    },
    [
      "enforced denied, matched policy none, enforced_policy=none rbac_access_denied_matched_policy[none]",
    ],
  ],
  [
    "a rule on trial",
    { decision: { ...allowed, dryRun: denied("a") } },
    [
      `shadow denied, matched policy ${A}, shadow_policy=${A}, enforced allowed, enforced_policy=none`,
    ],
  ],
  ["a trial that changes nothing", { decision: { ...allowed, dryRun: allowed } }, []],
  ["what the caller's side saw", { decision: denied("a"), reporter: "source" }, []],
  [
    "another refusal than by policy",
    {
      decision: {
        verdict: "deny",
        reason: { because: "token-refused", problem: "Jwt is expired", rules: [] },
      },
    },
    [],
  ],
];
for (const [what, changes, remarks] of REMARKS) {
  test(`AP-135 remarks on ${what}`, () => {
    const begin = "2026-01-01T00:00:00.000Z\tdebug\tenvoy rbac\t";
    assert.deepEqual(
      told(changes)?.remarks,
      remarks.map((text) => begin + text),
    );
  });
}

for (const line of ["", "{", '"text"', "{}", "[1]"]) {
  test(`${JSON.stringify(line)} is no line of a sidecar's log`, () => {
    assert.equal(tellCall(line), undefined);
  });
}
