import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "../../telemetry/metrics.ts";
import { SummedMetrics } from "./summed-metrics.ts";

const counter = (...lines: readonly string[]): string =>
  `# HELP a_total What is counted.\n# TYPE a_total counter\n${lines.join("\n")}\n`;

function seriesValue(sum: SummedMetrics, series: string): number | undefined {
  const line = sum
    .text()
    .split("\n")
    .find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test("what is counted is added, series by series", () => {
  const sum = new SummedMetrics();
  sum.take(1, counter('a_total{who="me"} 3', 'a_total{who="a \\"b\\" 7"} 1'));
  sum.take(2, counter('a_total{who="me"} 4', "a_total 0.5"));
  assert.equal(
    sum.text(),
    counter('a_total{who="me"} 7', 'a_total{who="a \\"b\\" 7"} 1', "a_total 0.5"),
  );
});

test("a process that is asked again replaces what it said before", () => {
  const sum = new SummedMetrics();
  sum.take(1, counter("a_total 3"));
  sum.take(1, counter("a_total 5"));
  assert.equal(seriesValue(sum, "a_total"), 5);
});

test("what a process had counted stays when it ends, and its successor's comes on top", () => {
  const sum = new SummedMetrics();
  sum.take(1, counter("a_total 3"));
  sum.take(2, counter("a_total 4"));
  sum.end(1);
  assert.equal(seriesValue(sum, "a_total"), 7);
  sum.take(1, counter("a_total 1"));
  assert.equal(seriesValue(sum, "a_total"), 8);
  sum.end(1);
  sum.end(1);
  assert.equal(seriesValue(sum, "a_total"), 8);
});

for (const [what, values, expected] of [
  ["hauberk_certificate_expiry_seconds", [30, 10, 20], 10],
  ["hauberk_served_certificate_behind", [0, 1, 0], 1],
  ["something_open", [1, 2, 3], 6],
] as const)
  test(`${what} of several processes`, () => {
    const sum = new SummedMetrics();
    for (const [index, value] of values.entries())
      sum.take(index + 1, `# HELP ${what} Text.\n# TYPE ${what} gauge\n${what} ${value}\n`);
    assert.equal(seriesValue(sum, what), expected);
    for (const index of values.keys()) sum.end(index + 1);
    assert.equal(seriesValue(sum, what), undefined);
  });

test("histograms are added, bucket by bucket, as a sidecar really tells them", async () => {
  const labels = {
    reporter: "destination",
    source: {},
    destination: {},
    responseCode: 200,
  } as const;
  const sum = new SummedMetrics();
  for (const [process, durations] of [
    [1, [1, 20]],
    [2, [20, 20, 9_000_000]],
  ] as const) {
    const metrics = createMetrics();
    const series = metrics.requestSeries(labels);
    for (const duration of durations) series.record(duration, { received: 1, sent: 2 });
    sum.take(process, await metrics.exposition());
  }
  const lines = sum.text().split("\n");
  const told = (start: RegExp): number[] =>
    lines
      .filter((line) => start.test(line))
      .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  assert.deepEqual(told(/^istio_requests_total\{/), [5]);
  assert.deepEqual(told(/^istio_request_duration_milliseconds_bucket\{le="1"/), [1]);
  assert.deepEqual(told(/^istio_request_duration_milliseconds_bucket\{le="25"/), [4]);
  assert.deepEqual(told(/^istio_request_duration_milliseconds_bucket\{le="\+Inf"/), [5]);
  assert.deepEqual(told(/^istio_request_duration_milliseconds_sum/), [9_000_061]);
  assert.deepEqual(told(/^istio_response_bytes_sum/), [10]);
});

test("every series that a sidecar tells is told, with its HELP and TYPE", async () => {
  const metrics = createMetrics();
  metrics.setCertificateExpiry(new Date(Date.now() + 60_000));
  metrics.setServedCertificate("current");
  const labels = { reporter: "source", source: {}, destination: {} } as const;
  metrics.recordConnectionOpened(labels);
  metrics.requestSeries({ ...labels, responseCode: 200 }).record(1, { received: 1, sent: 1 });
  const sum = new SummedMetrics();
  const text = await metrics.exposition();
  sum.take(1, text);
  const namesIn = (all: string): string[] =>
    all
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (line.startsWith("#") ? line : line.slice(0, line.lastIndexOf(" "))))
      .toSorted();
  assert.deepEqual(namesIn(sum.text()), namesIn(text));
});
