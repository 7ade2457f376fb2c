import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { type RecordedLog, recordedLog } from "../../../test/kit/recorded-log.ts";
import {
  EXPORT_BOUNDS,
  type ExportBounds,
  type SendRequest,
  type SendResult,
  SpanExporter,
} from "./span-exporter.ts";

const TAKEN: SendResult = { outcome: "taken" };
const AGAIN: SendResult = { outcome: "again", problem: "it is busy" };
const REFUSED: SendResult = { outcome: "refused", problem: "it is wrong" };

interface Stage {
  readonly exporter: SpanExporter;
  readonly log: RecordedLog;
  /** Spans of each request, by their names. */
  readonly requests: readonly string[];
}

function stage(
  answers: readonly (SendResult | Error | "never")[],
  bounds: Partial<ExportBounds> = {},
): Stage {
  const requests: string[] = [];
  const send: SendRequest = (request, signal) => {
    const answer = answers[Math.min(requests.push(request.toString()), answers.length) - 1];
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== "never") return Promise.resolve(answer ?? TAKEN);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("given up")));
    });
  };
  const log = recordedLog();
  const exporter = new SpanExporter({
    provider: "otel",
    send,
    requestOf: (spans) => Buffer.from(spans.join(" ")),
    log,
    chance: () => 0.5,
    bounds: {
      ...EXPORT_BOUNDS,
      batch: 3,
      sendAfterMs: 20,
      backoff: { baseMs: 1, maxMs: 4 },
      ...bounds,
    },
  });
  return { exporter, log, requests };
}

function add(exporter: SpanExporter, ...spans: readonly string[]): void {
  for (const span of spans) exporter.add(Buffer.from(span));
}

test("spans are gathered for a while, and sent together", async () => {
  const { exporter, requests } = stage([TAKEN], { sendAfterMs: 40 });
  add(exporter, "a", "b");
  await delay(10);
  assert.deepEqual(requests, []);
  await eventually("the request", () => requests.length > 0);
  assert.deepEqual(requests, ["a b"]);
  assert.deepEqual(exporter.counts, { sent: 2, lost: 0 });
});

test("a full request is sent at once, but not within the call", async () => {
  const { exporter, requests } = stage([TAKEN], { sendAfterMs: 3_600_000 });
  add(exporter, "a", "b", "c");
  assert.deepEqual(requests, []);
  await eventually("the request", () => requests.length > 0, { withinMs: 2_000 });
  assert.deepEqual(requests, ["a b c"]);
});

test("spans that come while others are sent are sent after them", async () => {
  const { exporter, requests } = stage([AGAIN, TAKEN], { backoff: { baseMs: 50, maxMs: 50 } });
  add(exporter, "a", "b", "c");
  await eventually("the first attempt", () => requests.length === 1);
  add(exporter, "d");
  await eventually("all spans", () => exporter.counts.sent === 4);
  assert.deepEqual(requests, ["a b c", "a b c", "d"]);
});

test("a request that fails for now is tried again, and nothing is said of it", async () => {
  const { exporter, log, requests } = stage([AGAIN, new Error("refused"), TAKEN]);
  add(exporter, "a");
  await eventually("the spans", () => exporter.counts.sent === 1);
  assert.deepEqual(requests, ["a", "a", "a"]);
  assert.deepEqual(log.lines, []);
});

test("one that fails too often is given up, told once, and told when it is over", async () => {
  const { exporter, log, requests } = stage([AGAIN, AGAIN, AGAIN, AGAIN, TAKEN], { attempts: 2 });
  add(exporter, "a", "b", "c", "d");
  await eventually("the end of the second request", () => exporter.counts.lost === 4);
  add(exporter, "e");
  await eventually("a request that is taken", () => exporter.counts.sent === 1);
  assert.deepEqual(requests, ["a b c", "a b c", "d", "d", "e"]);
  assert.deepEqual(
    log.lines.map(({ level, message, fields }) => [level, message, fields]),
    [
      ["warn", "spans are lost", { provider: "otel", problem: "it is busy" }],
      ["info", "spans are sent again", { provider: "otel", lost: 4 }],
    ],
  );
});

test("one that is refused is not tried again", async () => {
  const { exporter, requests } = stage([REFUSED]);
  add(exporter, "a");
  await eventually("the refusal", () => exporter.counts.lost === 1);
  await delay(30);
  assert.deepEqual(requests, ["a"]);
});

test("a collector that asks for a pause gets it", async () => {
  const { exporter, requests } = stage([{ ...AGAIN, afterMs: 120 }, TAKEN]);
  const begun = performance.now();
  add(exporter, "a", "b", "c");
  await eventually("the second attempt", () => requests.length === 2);
  assert.ok(performance.now() - begun >= 119);
});

test("while nobody takes them, the newest spans are kept, up to a bound", async () => {
  const { exporter, requests, log } = stage(["never"], { keepSpans: 4, closeMs: 50 });
  add(exporter, "a", "b", "c");
  await eventually("the request", () => requests.length === 1);
  for (let number = 1; number <= 9; number++) add(exporter, `${number}`);
  assert.deepEqual(exporter.counts, { sent: 0, lost: 5 });
  assert.equal(log.find("spans are lost").length, 1);
  await exporter.close();
  assert.deepEqual(exporter.counts, { sent: 0, lost: 12 });
});

test("and up to so many bytes, but the last", async () => {
  const { exporter } = stage([TAKEN], { keepBytes: 100, batch: 100 });
  add(exporter, "x".repeat(60), "y".repeat(60));
  assert.equal(exporter.counts.lost, 1);
  add(exporter, "z".repeat(200));
  assert.equal(exporter.counts.lost, 2);
  await exporter.close();
  assert.deepEqual(exporter.counts, { sent: 1, lost: 2 });
});

test("at the end all that is there is sent", async () => {
  const { exporter, requests } = stage([TAKEN], { sendAfterMs: 3_600_000, batch: 2, keepSpans: 9 });
  add(exporter, "a");
  await exporter.close();
  add(exporter, "b");
  await exporter.close();
  assert.deepEqual(requests, ["a"]);
  assert.deepEqual(exporter.counts, { sent: 1, lost: 1 });
});

test("at the end a pause is cut short, for one attempt more", async () => {
  const { exporter, requests } = stage([AGAIN, TAKEN], {
    backoff: { baseMs: 3_600_000, maxMs: 3_600_000 },
  });
  add(exporter, "a");
  await eventually("the first attempt", () => requests.length === 1);
  await exporter.close();
  assert.deepEqual(requests, ["a", "a"]);
  assert.deepEqual(exporter.counts, { sent: 1, lost: 0 });
});

test("the end does not wait for a collector that hangs", async () => {
  const { exporter, requests } = stage(["never"], { closeMs: 60, batch: 1 });
  add(exporter, "a");
  await eventually("the request", () => requests.length === 1);
  add(exporter, "b");
  const begun = performance.now();
  await exporter.close();
  assert.ok(performance.now() - begun < 1_000);
  assert.deepEqual(exporter.counts, { sent: 0, lost: 2 });
});
