import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, idOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { CallFacts } from "./recorder.ts";
import { RequestCounts } from "./request-counts.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

const AT = { address: "127.0.0.1", port: 1 };
const CALL = { reporter: "source", startedAt: new Date(0), remote: AT, local: AT } as const;
const [API, WEB] = ["api", "web"].map((name) => destination({ name, port: 1 }));
const NO_BYTES = { received: 0, sent: 0 };

function counting() {
  const metrics = createMetrics();
  let view = workloadView({ name: "frontend", rootsPem: [] });
  const counts = new RequestCounts({ view: () => view, metrics });
  return {
    count: (call: CallFacts, counted: Parameters<RequestCounts["series"]>[1]): void =>
      counts.series(call, counted).record(1, NO_BYTES),
    relabel: (labels: Record<string, string>): void => {
      view = { ...view, workload: { ...view.workload, labels } };
    },
    /** Of each series the named labels, and how often it was counted. */
    told: async (...labels: readonly string[]): Promise<readonly string[][]> =>
      [...(await metrics.exposition()).matchAll(/^istio_requests_total\{(.*)\} (.+)$/gm)].map(
        ([, text = "", value = ""]) => [
          ...labels.map((label) => new RegExp(`\\b${label}="([^"]*)"`).exec(text)?.[1] ?? ""),
          value,
        ],
      ),
  };
}

function onwards(name: string): UpstreamEnds {
  const own = { id: idOf("frontend"), serialNumber: "1", notAfter: new Date(0) };
  return { local: AT, mutualTls: { own, peer: { id: idOf(name) } } } as UpstreamEnds;
}

test("OBS-20 whose client left before an answer is counted too, with code 0", async () => {
  const { count, told } = counting();
  for (const status of [200, null, null, 200]) {
    count(CALL, { status, flags: status === null ? "DC" : "-" });
  }
  assert.deepEqual(await told("response_code", "response_flags"), [
    ["200", "-", "2"],
    ["0", "DC", "2"],
  ]);
});

test("a connection onwards is counted under whom it proved, and each destination by itself", async () => {
  const { count, told } = counting();
  const [api, web] = [onwards("api"), onwards("web")];
  const calls = [API, WEB].map((one) => ({ ...CALL, destination: one, cluster: one?.host }));
  for (const ends of [api, web, api]) {
    for (const call of calls) count(call as CallFacts, { status: 200, flags: "-", ends });
  }
  assert.deepEqual(await told("destination_principal", "destination_service_name"), [
    [idOf("api"), "api", "2"],
    [idOf("api"), "web", "2"],
    [idOf("web"), "api", "1"],
    [idOf("web"), "web", "1"],
  ]);
});

test("labels are those of the newest view", async () => {
  const { count, relabel, told } = counting();
  count(CALL, { status: 200, flags: "-" });
  relabel({ app: "other" });
  count(CALL, { status: 200, flags: "-" });
  relabel({ app: "frontend" });
  count(CALL, { status: 200, flags: "-" });
  assert.deepEqual(await told("source_app"), [
    ["frontend", "2"],
    ["other", "1"],
  ]);
});
