/** Both ways of sending, against servers that listen. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import {
  type CollectorAnswer,
  grpcCollector,
  httpCollector,
  type OtlpCollector,
} from "../../../test/kit/otlp-collector.ts";
import type { SpanCollector } from "../../policy/workload-view.ts";
import { connectByName } from "./collector-connection.ts";
import { encodeSpan, spanRequests } from "./otlp-span.ts";
import { sendOverGrpc } from "./send-over-grpc.ts";
import { retryAfterMs, sendOverHttp } from "./send-over-http.ts";
import type { SendResult } from "./span-exporter.ts";

const SPAN = encodeSpan(
  { traceId: "ab".repeat(16), spanId: "cd".repeat(8), name: "api:80/*", startedAt: 1 },
  { kind: "server", endedAt: 2, attributes: new Map([["a", "b"]]), isError: false },
);
const REQUEST = spanRequests({ serviceName: "api.shop" })([SPAN]);

const WAYS = {
  http: { open: httpCollector, send: sendOverHttp },
  grpc: { open: grpcCollector, send: sendOverGrpc },
} as const;
type Way = keyof typeof WAYS;

interface Sent {
  readonly result: SendResult;
  readonly collector: OtlpCollector;
}

function collectorAt(port: number, way: Way): SpanCollector {
  return {
    provider: "otel",
    host: "127.0.0.1",
    port,
    protocol: way,
    path: "/v1/traces",
    timeoutMs: 2_000,
    headers: { "x-key": "a secret" },
  };
}

async function sent(
  context: TestContext,
  {
    way,
    answer,
    timeoutMs,
  }: { readonly way: Way; readonly answer?: CollectorAnswer; readonly timeoutMs?: number },
): Promise<Sent> {
  const collector = await WAYS[way].open(answer && [answer]);
  context.after(() => collector.close());
  const place = { ...collectorAt(collector.port, way), ...(timeoutMs && { timeoutMs }) };
  const send = WAYS[way].send(place, connectByName);
  return { result: await send(REQUEST, new AbortController().signal), collector };
}

test("over HTTP a request is protobuf, at the path and with the headers of the provider", async (context) => {
  const { result, collector } = await sent(context, { way: "http" });
  assert.deepEqual(result, { outcome: "taken" });
  const [request] = collector.requests;
  assert.equal(request?.path, "/v1/traces");
  const { "x-key": key, "content-type": type, host } = request?.headers ?? {};
  assert.deepEqual(
    [key, type, host],
    ["a secret", "application/x-protobuf", `127.0.0.1:${collector.port}`],
  );
  assert.deepEqual(
    collector.spans.map(({ name }) => name),
    ["api:80/*"],
  );
});

test("over gRPC a request is one call, with the metadata of the provider", async (context) => {
  const { result, collector } = await sent(context, { way: "grpc" });
  assert.deepEqual(result, { outcome: "taken" });
  const [request] = collector.requests;
  assert.equal(request?.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  const { "x-key": key, "content-type": type, te } = request?.headers ?? {};
  assert.deepEqual([key, type, te], ["a secret", "application/grpc", "trailers"]);
  assert.equal(request?.headers["grpc-timeout"], "2000m");
  assert.deepEqual({ ...collector.spans[0]?.attributes }, { a: "b" });
});

const answers: [
  way: Way,
  answer: CollectorAnswer,
  outcome: SendResult["outcome"],
  problem: RegExp,
][] = [
  ["http", { status: 400 }, "refused", /answered 400/],
  ["http", { status: 404 }, "refused", /answered 404/],
  ["http", { status: 500 }, "refused", /answered 500/],
  ["http", { status: 301, headers: { location: "/" } }, "refused", /answered 301/],
  ["http", { status: 429 }, "again", /answered 429/],
  ["http", { status: 502 }, "again", /answered 502/],
  ["http", { status: 503 }, "again", /answered 503/],
  ["http", { status: 504 }, "again", /answered 504/],
  ["grpc", { status: 3, headers: { "grpc-message": "bad" } }, "refused", /gRPC status 3 bad$/],
  ["grpc", { status: 7 }, "refused", /gRPC status 7$/],
  ["grpc", { status: 8 }, "refused", /gRPC status 8$/],
  ["grpc", { status: 12 }, "refused", /gRPC status 12$/],
  ["grpc", { status: 1 }, "again", /gRPC status 1$/],
  ["grpc", { status: 4 }, "again", /gRPC status 4$/],
  ["grpc", { status: 14 }, "again", /gRPC status 14$/],
];
for (const [way, answer, outcome, problem] of answers) {
  test(`${way}: the answer ${answer.status} is ${outcome}`, async (context) => {
    const { result } = await sent(context, { way, answer });
    assert.equal(result.outcome, outcome);
    assert.match("problem" in result ? result.problem : "", problem);
  });
}

test("Retry-After is heard in seconds and as a date", async (context) => {
  const answer = { status: 503, headers: { "retry-after": "7" } };
  const { result } = await sent(context, { way: "http", answer });
  assert.equal("afterMs" in result && result.afterMs, 7_000);
  const now = Date.UTC(2026, 0, 1);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 00:00:09 GMT", now), 9_000);
  assert.equal(retryAfterMs("Wed, 31 Dec 2025 00:00:09 GMT", now), 0);
  for (const none of [undefined, "", "-1", "soon", "1.5"]) {
    assert.equal(retryAfterMs(none, now), undefined);
  }
});

for (const way of ["http", "grpc"] as const) {
  test(`${way}: a collector that does not answer is given up`, async (context) => {
    const answer = { status: 200, silent: true } as const;
    await assert.rejects(sent(context, { way, answer, timeoutMs: 100 }));
  });

  test(`${way}: nobody there is an error that may pass`, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const send = WAYS[way].send(collectorAt(port, way), connectByName);
    await assert.rejects(send(REQUEST, new AbortController().signal), /ECONNREFUSED/);
  });

  test(`${way}: what is no such server is an error, or an answer that may pass`, async (context) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined).once("data", () => socket.end("nonsense\r\n\r\n"));
    }).listen(0, "127.0.0.1");
    context.after(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const send = WAYS[way].send(collectorAt(port, way), connectByName);
    const result = await send(REQUEST, new AbortController().signal).catch(() => undefined);
    assert.ok(result === undefined || result.outcome === "again");
  });

  test(`${way}: it is given up at once when nobody waits any more`, async (context) => {
    const collector = await WAYS[way].open([{ status: 200, silent: true }]);
    context.after(() => collector.close());
    const send = WAYS[way].send(collectorAt(collector.port, way), connectByName);
    const waiting = new AbortController();
    const sending = send(REQUEST, waiting.signal);
    setTimeout(() => waiting.abort(), 50);
    const begun = performance.now();
    await assert.rejects(sending);
    assert.ok(performance.now() - begun < 1_500);
    await assert.rejects(send(REQUEST, waiting.signal));
  });
}
