import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRow } from "./plain-report.ts";
import type { Finding, Row } from "./row.ts";

const finding: Finding = {
  verdict: "refused 403",
  because: "no ALLOW rule matched",
  identities: "production/frontend -> production/api",
  decision: {
    verdict: "deny",
    reason: {
      because: "no-allow-matched",
      considered: [],
      nearest: [
        {
          rule: {
            policy: { kind: "AuthorizationPolicy", namespace: "production", name: "api-access" },
            rule: 0,
            source: { file: "authorization.yaml", line: 39 },
          },
          unmet: [{ field: "to.operation.methods", expected: "GET", got: "PUT" }],
        },
      ],
    },
  },
  surprises: [],
};
const row: Row = {
  caller: "frontend",
  callee: "api:8080",
  request: "PUT /api",
  expected: "refused for its method",
  play: async () => finding,
};

test("a row that came out as expected", () => {
  assert.deepEqual(formatRow(7, { row, finding }), [
    "",
    "7. frontend -> api:8080  PUT /api",
    "   refused 403 (as expected: refused for its method)",
    "   who  production/frontend -> production/api",
    "   why  no ALLOW rule matched",
    "        to.operation.methods: expected GET, got PUT",
  ]);
});

test("a row that surprised says so, and why", () => {
  const { decision: _, ...rest } = finding;
  const surprised = { ...rest, identities: "", because: "", surprises: ["status: 200"] };
  assert.deepEqual(formatRow(7, { row, finding: surprised }), [
    "",
    "7. frontend -> api:8080  PUT /api",
    "   refused 403 (SURPRISE: refused for its method)",
    "   but  status: 200",
  ]);
});
