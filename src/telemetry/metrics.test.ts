import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../policy/decision.ts";
import { type CallLabels, createMetrics } from "./metrics.ts";

const NO_BYTES = { received: 0, sent: 0 };
const CALLER = "spiffe://cluster.local/ns/production/sa/frontend";
const CALLEE = "spiffe://cluster.local/ns/production/sa/api";
const inbound: CallLabels = {
  reporter: "destination",
  source: { principal: CALLER, namespace: "claimed-by-the-caller" },
  destination: { workload: "api", namespace: "production", principal: CALLEE, app: "api" },
  service: { host: "api.production.svc.cluster.local", name: "api", namespace: "production" },
};

/** The labels of a series, from Prometheus' text format. */
async function seriesOf(
  metrics: ReturnType<typeof createMetrics>,
  name: string,
): Promise<{ labels: Record<string, string>; value: number }[]> {
  const text = await metrics.exposition();
  return [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (.+)$`, "gm"))].map(
    ([, labels = "", value]) => ({
      labels: Object.fromEntries(
        [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = "", text = ""]) => [key, text]),
      ),
      value: Number(value),
    }),
  );
}

test("OBS-20, OBS-21 a request is counted and timed with Istio's labels", async () => {
  const metrics = createMetrics();
  const refused = metrics.requestSeries({ ...inbound, responseCode: 403 });
  refused.record(7, { received: 100, sent: 19 });
  refused.record(9, { received: 0, sent: 19 });
  const [series, ...others] = await seriesOf(metrics, "istio_requests_total");
  assert.deepEqual(others, []);
  assert.equal(series?.value, 2);
  const { labels } = series;
  assert.equal(Object.keys(labels).length, 25);
  assert.equal(labels["response_code"], "403");
  assert.equal(labels["request_protocol"], "http");
  assert.equal(labels["source_workload"], "unknown");
  assert.equal(labels["destination_service"], "api.production.svc.cluster.local");
  const [sum] = await seriesOf(metrics, "istio_request_duration_milliseconds_sum");
  assert.equal(sum?.value, 16);
});

test("OBS-20 bodies are measured, with the bounds that Envoy has for everything", async () => {
  const metrics = createMetrics();
  const series = metrics.requestSeries({ ...inbound, responseCode: 200 });
  series.record(0.4, { received: 100, sent: 1_000 });
  series.record(3_600_001, { received: 0, sent: 1_001 });
  const bucketsOf = async (name: string): Promise<[string | undefined, number][]> =>
    (await seriesOf(metrics, `${name}_bucket`)).map(({ labels, value }) => [labels["le"], value]);
  const durations = await bucketsOf("istio_request_duration_milliseconds");
  assert.equal(durations.length, 20);
  assert.deepEqual(
    [durations[0], durations.at(-2), durations.at(-1)],
    [
      ["0.5", 1],
      ["3600000", 1],
      ["+Inf", 2],
    ],
  );
  const sent = new Map(await bucketsOf("istio_response_bytes"));
  assert.deepEqual([sent.get("500"), sent.get("1000"), sent.get("2500")], [0, 1, 2]);
  for (const [name, value] of [
    ["istio_request_bytes_sum", 100],
    ["istio_request_bytes_count", 2],
    ["istio_response_bytes_sum", 2_001],
  ] as const) {
    assert.equal((await seriesOf(metrics, name))[0]?.value, value);
  }
});

test("the same labels are the same series, whoever asks, and a quote in one of them ends nothing", async () => {
  const metrics = createMetrics();
  const odd = { ...inbound, responseCode: 200, destination: { workload: 'a"}\\b\n' } };
  for (const labels of [odd, { ...odd }]) metrics.requestSeries(labels).record(1, NO_BYTES);
  const text = await metrics.exposition();
  const lines = text.split("\n").filter((line) => line.startsWith("istio_requests_total{"));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /destination_workload="a\\"\}\\\\b\\n".* 2$/);
});

const policies: [what: string, labels: Partial<CallLabels>, security: string][] = [
  ["both identities verified", {}, "mutual_tls"],
  ["plaintext", { source: {} }, "none"],
  ["the caller's side", { reporter: "source" }, "unknown"],
];
for (const [what, labels, security] of policies) {
  test(`OBS-22 connection_security_policy with ${what} is ${security}`, async () => {
    const metrics = createMetrics();
    metrics.recordConnectionOpened({ ...inbound, ...labels });
    const [series] = await seriesOf(metrics, "istio_tcp_connections_opened_total");
    assert.equal(series?.labels["connection_security_policy"], security);
    assert.equal(series.labels["request_protocol"], "tcp");
  });
}

test("OBS-23 the callee's side takes the caller's namespace from its certificate", async () => {
  const metrics = createMetrics();
  metrics.recordConnectionOpened(inbound);
  metrics.recordConnectionOpened({ ...inbound, reporter: "source" });
  const series = await seriesOf(metrics, "istio_tcp_connections_opened_total");
  assert.deepEqual(
    series.map(({ labels }) => [labels["reporter"], labels["source_workload_namespace"]]),
    [
      ["destination", "production"],
      ["source", "claimed-by-the-caller"],
    ],
  );
  assert.equal(series[0]?.labels["source_principal"], CALLER);
});

test("OBS-23 the caller's side takes the callee's namespace from its certificate, where nothing else tells", async () => {
  const metrics = createMetrics();
  for (const destination of [{ principal: CALLEE }, {}]) {
    metrics.recordConnectionOpened({ ...inbound, reporter: "source", destination });
  }
  const series = await seriesOf(metrics, "istio_tcp_connections_opened_total");
  assert.deepEqual(
    series.map(({ labels }) => [
      labels["destination_workload_namespace"],
      labels["destination_workload"],
    ]),
    [
      ["production", "unknown"],
      ["unknown", "unknown"],
    ],
  );
});

test("a closed connection adds its bytes", async () => {
  const metrics = createMetrics();
  metrics.recordConnectionClosed(inbound, { sent: 10, received: 3 });
  metrics.recordConnectionClosed(inbound, { sent: 5, received: 0 });
  const onlyValue = async (name: string): Promise<number | undefined> =>
    (await seriesOf(metrics, name))[0]?.value;
  assert.equal(await onlyValue("istio_tcp_connections_closed_total"), 2);
  assert.equal(await onlyValue("istio_tcp_sent_bytes_total"), 15);
  assert.equal(await onlyValue("istio_tcp_received_bytes_total"), 3);
});

test("decisions are counted by what decided", async () => {
  const metrics = createMetrics();
  const matched = {
    policy: { kind: "AuthorizationPolicy", namespace: "production", name: "no-admin" },
    rule: 2,
    source: { file: "p.yaml", line: 1 },
  };
  const policies = ["all", "web"].map((name) => ({
    kind: "NetworkPolicy",
    namespace: "shop",
    name,
  }));
  const decisions: Decision[] = [
    { verdict: "deny", reason: { because: "matched-deny", matched } },
    { verdict: "allow", reason: { because: "no-allow-policy" } },
    { verdict: "allow", reason: { because: "no-allow-policy" } },
    { verdict: "deny", reason: { because: "network-policy", direction: "ingress", policies } },
    { verdict: "deny", reason: { because: "unknown-destination" } },
  ];
  for (const decision of decisions) metrics.recordDecision(decision);
  assert.deepEqual(await seriesOf(metrics, "hauberk_decisions_total"), [
    {
      labels: {
        verdict: "deny",
        because: "matched-deny",
        policy: "production/no-admin",
        rule: "2",
      },
      value: 1,
    },
    { labels: { verdict: "allow", because: "no-allow-policy", policy: "", rule: "" }, value: 2 },
    {
      labels: { verdict: "deny", because: "network-policy", policy: "shop/all,shop/web", rule: "" },
      value: 1,
    },
    { labels: { verdict: "deny", because: "unknown-destination", policy: "", rule: "" }, value: 1 },
  ]);
});

test("strangers do not decide how many series there are", async () => {
  const metrics = createMetrics();
  for (let code = 600; code < 700; code++)
    metrics.requestSeries({ ...inbound, responseCode: code }).record(1, NO_BYTES);
  metrics.requestSeries({ ...inbound, responseCode: Number.NaN }).record(1, NO_BYTES);
  const series = await seriesOf(metrics, "istio_requests_total");
  assert.deepEqual(
    series.map(({ labels, value }) => [labels["response_code"], value]),
    [["0", 101]],
  );
});

test("the time a certificate has left is told when asked, and nothing before there is one", async () => {
  let now = new Date("2026-01-01T00:00:00Z");
  const metrics = createMetrics({ now: () => now });
  const name = "hauberk_certificate_expiry_seconds";
  assert.deepEqual(await seriesOf(metrics, name), []);
  metrics.setCertificateExpiry(new Date("2026-01-01T00:10:00Z"));
  assert.equal((await seriesOf(metrics, name))[0]?.value, 600);
  now = new Date("2026-01-01T00:11:00Z");
  assert.equal((await seriesOf(metrics, name))[0]?.value, -60);
});

test("the content type is Prometheus' text format, and registries are apart", async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.recordConnectionOpened(inbound);
  assert.match(one.contentType, /^text\/plain/);
  assert.deepEqual(await seriesOf(other, "istio_tcp_connections_opened_total"), []);
});

test("AP-9, AP-135 what AUDIT and policies on trial say is counted beside the decision", async () => {
  const metrics = createMetrics();
  const matched = (name: string) => ({
    policy: { kind: "AuthorizationPolicy", namespace: "shop", name },
    rule: 3,
    source: { file: "p.yaml", line: 1 },
  });
  metrics.recordDecision({
    verdict: "allow",
    reason: { because: "no-allow-policy" },
    audited: matched("watch"),
    dryRun: { verdict: "deny", reason: { because: "matched-deny", matched: matched("try") } },
  });
  const [audited] = await seriesOf(metrics, "hauberk_audited_total");
  assert.deepEqual(audited, { labels: { policy: "shop/watch", rule: "3" }, value: 1 });
  const [shadow] = await seriesOf(metrics, "hauberk_dry_run_decisions_total");
  assert.deepEqual(shadow?.labels, {
    verdict: "deny",
    because: "matched-deny",
    policy: "shop/try",
    rule: "3",
  });
  const [decided] = await seriesOf(metrics, "hauberk_decisions_total");
  assert.equal(decided?.labels["verdict"], "allow");
});
