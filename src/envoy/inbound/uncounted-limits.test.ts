import assert from "node:assert/strict";
import { test } from "node:test";
import { appliedRateLimit } from "../../../test/kit/applied-rate-limit.ts";
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import { uncountedLimits } from "./uncounted-limits.ts";

const RULE = { line: 1, from: [], to: [{ ports: ["80"] }], when: [] };

const LIMITS: readonly [string, Partial<AppliedRateLimit>, RegExp | undefined][] = [
  ["of requests", {}, undefined],
  [
    "of requests by what Envoy knows",
    { key: ["source.principal", "request.headers[x]"] },
    undefined,
  ],
  ["of requests by what it does not", { key: ["source.namespace"] }, /apart by source\.namespace/],
  ["that is fair", { fair: true }, /without regard to fairness/],
  ["that is fair in the whole mesh", { fair: true, scope: "Global" }, undefined],
  ["of connections", { counts: "connections" }, undefined],
  ["of connections apart", { counts: "connections", key: ["source.ip"] }, /not enforced/],
  ["of some open connections", { counts: "openConnections", match: [RULE] }, /not enforced/],
  ["of connections on trial", { counts: "openConnections", mode: "Shadow" }, /not tried out/],
];

for (const [what, fields, problem] of LIMITS) {
  test(`a limit ${what} is ${problem === undefined ? "counted" : "told of"}`, () => {
    const told = uncountedLimits([appliedRateLimit(fields)]);
    if (problem === undefined) return assert.deepEqual(told, []);
    assert.equal(told[0]?.limit, "production/limits/all");
    assert.match(told[0]?.problem ?? "", problem);
  });
}
