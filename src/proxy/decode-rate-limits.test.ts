import assert from "node:assert/strict";
import { test } from "node:test";
import { appliedRateLimit } from "../../test/kit/applied-rate-limit.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { WORKLOAD_VIEW_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { decodeWorkloadView } from "./decode-workload-view.ts";
import { InvalidWorkloadViewError } from "./view-fields.ts";

const sample = sampleView({
  name: "production/api-0",
  identity: "spiffe://cluster.local/ns/production/sa/api",
  rootPem: createThrowawayAuthority().rootPem,
});

function read(rateLimits: unknown): WorkloadView {
  const json = JSON.stringify({ ...sample, inbound: { ...sample.inbound, rateLimits } });
  return decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json });
}

test("what is written of rate limits is what is read", () => {
  const limits = [
    appliedRateLimit({
      match: [
        {
          line: 9,
          from: [{ namespaces: ["shop"] }],
          to: [{ paths: ["/a/{*}"] }],
          when: [{ key: "request.headers[x]", values: ["y"], notValues: [] }],
        },
      ],
      key: ["source.principal", "request.auth.claims[a][b]"],
      scope: "Global",
      mode: "Shadow",
      whenUnavailable: "Deny",
      headers: "Always",
    }),
    appliedRateLimit({ fair: true, headers: "Never" }),
    appliedRateLimit({ counts: "openConnections", perMs: 0 }),
  ];
  assert.deepEqual(read(limits).inbound.rateLimits, limits);
});

const wrong: [name: string, changes: object][] = [
  ["a rate without a time would limit nothing", { perMs: 0 }],
  ["none at all", { amount: 0 }],
  ["an unknown thing to count", { counts: "bytes" }],
  ["an unknown key", { key: ["source.prinicpal"] }],
  ["an unknown scope", { scope: "Zone" }],
  ["what this version does not know", { penalty: 1 }],
];
for (const [name, changes] of wrong) {
  test(`${name}: the view is refused`, () => {
    assert.throws(() => read([{ ...appliedRateLimit(), ...changes }]), InvalidWorkloadViewError);
  });
}
