import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { decidedCall } from "./decided-call.ts";
import { judgedAgain } from "./judged-again.ts";
import { toldCall } from "./told-call.ts";

const REQUEST = {
  start_time: "2026-11-23T10:00:00.000Z",
  reporter: "destination",
  method: "GET",
  path: "/orders",
  authority: "api:8080",
  upstream_host: "127.0.0.1:8080",
  downstream_local_address: "127.0.0.1:15006",
  downstream_remote_address: "127.0.0.1:40000",
  source_principal: idOf("frontend"),
};

function verdictOn(told: object, view: WorkloadView): string {
  const call = toldCall(JSON.stringify({ ...REQUEST, ...told }));
  assert.ok(call);
  return judgedAgain(call, view).decision.verdict;
}

test("what is believed of trust domains counts as it is now, though policies are the same objects", () => {
  const old = { principals: ["old.local/ns/production/sa/frontend"] };
  const view = workloadView({
    rootsPem: [],
    policies: [policy("ALLOW", "readers", { from: [old] })],
  });
  const moved = { ...view, trust: { ...view.trust, trustDomainAliases: ["old.local"] } };
  assert.equal(verdictOn({}, view), "deny");
  assert.equal(verdictOn({}, moved), "allow");
  assert.equal(verdictOn({}, view), "deny");
});

test("a request and a connection are each judged by what they can carry (AP-62)", () => {
  const writing = policy("DENY", "writing", { to: [{ methods: ["POST"] }] });
  const view = workloadView({ rootsPem: [], policies: [writing] });
  for (const _again of [1, 2]) {
    assert.equal(verdictOn({}, view), "allow");
    assert.equal(verdictOn({ method: null, path: null, authority: null }, view), "deny");
  }
});

test("what is long is judged whole, and told cut", () => {
  const path = `/${"x".repeat(5_000)}/public`;
  const isPublic = policy("ALLOW", "public", { to: [{ paths: ["*/public"] }] });
  const view = workloadView({ rootsPem: [], policies: [isPublic] });
  const entry = decidedCall(JSON.stringify({ ...REQUEST, path }), view);
  assert.equal(entry?.path, `${path.slice(0, 1_024)}…`);
  assert.equal(entry?.decision?.reason.because, "matched-allow");
});
