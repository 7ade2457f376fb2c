import assert from "node:assert/strict";
import { test } from "node:test";
import { inboundPort, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { EffectiveTelemetry, WorkloadView } from "../policy/workload-view.ts";
import { DECISION_PIPE } from "./decision-log.ts";
import { envoyResources } from "./envoy-resources.ts";
import type { ProxySettings } from "./proxy-settings.ts";

const SETTINGS: ProxySettings = { version: "1.40.0" };
const TOLD: ProxySettings = { ...SETTINGS, decisionLog: true };
const port = inboundPort({ listen: 15_006, application: 8_080 });
const view = workloadView({ rootsPem: [], ports: [port], httpProxy: 15_080 });
const telemetry: EffectiveTelemetry = {
  inbound: [{ provider: "envoy", path: "/dev/stdout", format: { encoding: "TEXT" } }],
  outbound: [],
};

function listeners(of: WorkloadView, settings: ProxySettings): string {
  return JSON.stringify(envoyResources(of, settings).listeners);
}

test("both sides are told into the pipe, and refusals of connections, only where an agent reads it", () => {
  const told = listeners(view, TOLD);
  assert.match(told, /"reporter":"destination"/);
  assert.match(told, /"reporter":"source"/);
  assert.match(told, /"responseFlagFilter":\{"flags":\["NR"\]\}/);
  assert.doesNotMatch(listeners(view, SETTINGS), new RegExp(DECISION_PIPE));
});

test("listeners tell of handshakes into the pipe alone: users' logs are as Istio's", () => {
  const told = listeners({ ...view, telemetry }, TOLD);
  const handshakes = [...told.matchAll(/"ending":"handshake"/g)];
  assert.equal(handshakes.length, 1);
  assert.match(told, /has\(connection\.tls_version\) && \(!connection\.mtls \|\|/);
  assert.doesNotMatch(listeners({ ...view, telemetry }, SETTINGS), /handshake_problem/);
});

test("no operator is one that Envoy would not be told", () => {
  const fields = [...listeners(view, TOLD).matchAll(/"jsonFormat":(\{[^}]*\})/g)];
  assert.ok(fields.length >= 2);
  for (const [, text = ""] of fields)
    for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>))
      assert.notEqual(value, "-", name);
});

test("what users have logged is logged, too", () => {
  const told = listeners({ ...view, telemetry }, TOLD);
  assert.match(told, new RegExp(DECISION_PIPE));
  assert.match(told, /StdoutAccessLog/);
});

test("views that differ elsewhere have the same listeners", () => {
  const [one, other] = [view, { ...view, workload: { ...view.workload, name: "api-1" } }].map(
    (of) => envoyResources(of, TOLD).listeners.at(-1),
  );
  assert.deepEqual(one, other);
});
