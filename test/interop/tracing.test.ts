/** Spans as OpenTelemetry's own messages, which none of us wrote, read them: over gRPC and over HTTP. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { after, before, test } from "node:test";
import { effectiveTelemetry } from "../../src/policy/effective-telemetry.ts";
import { endSpan, startSpan } from "../../src/telemetry/tracing/span.ts";
import { Tracing } from "../../src/telemetry/tracing/tracing.ts";
import { buildGoModule } from "../kit/go-program.ts";
import { loggedCall } from "../kit/logged-call.ts";
import { snapshotOf, workloadNamed } from "../kit/mesh-parts.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { recordedLog } from "../kit/recorded-log.ts";

const skip = missingParts("go");
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

let collector: ChildProcessByStdio<Writable, Readable, null>;
let lines: Interface;
let ports: { readonly grpc: number; readonly http: number };

before(
  async () => {
    if (skip !== false) return;
    const program = join(await buildGoModule("test/interop/otlp-collector"), "otlp-collector");
    collector = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    lines = createInterface({ input: collector.stdout });
    ports = (await nextLine()) as typeof ports;
  },
  { timeout: 300_000 },
);

after(() => {
  if (skip === false) collector.stdin.end();
});

async function nextLine(): Promise<unknown> {
  const [line] = (await once(lines, "line")) as [string];
  return JSON.parse(line);
}

/** @param provider of kind `opentelemetry` */
function meshWith(provider: string): string {
  return `extensionProviders:
- name: otel
  opentelemetry: ${provider}
defaultProviders: {tracing: [otel]}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: traces, namespace: shop}
spec: {tracing: [{customTags: {team: {literal: {value: "bleu é"}}}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, sidecar.istio.io/inject: "true"}}
    spec: {containers: [{name: api, image: api, ports: [{containerPort: 8080}]}]}
`;
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface SpanJson {
  readonly name: string;
  readonly kind: string;
  readonly traceState: string;
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: string };
  readonly attributes: readonly KeyValue[];
}

interface RequestJson {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly SpanJson[] }[];
  }[];
}

for (const way of ["grpc", "http"] as const) {
  test(`a span over ${way} is read as it was meant`, { skip, timeout: 60_000 }, async () => {
    const http = way === "http" ? ", http: {path: /v1/traces}" : "";
    const snapshot = snapshotOf(meshWith(`{service: localhost, port: ${ports[way]}${http}}`));
    const telemetry = effectiveTelemetry(snapshot, workloadNamed(snapshot, "shop/api-0"));
    const tracing = new Tracing({ nodeId: "node", log: recordedLog() });
    const fields = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: "a=1" };
    const headers = new Map(Object.entries(fields));
    const side = tracing.of(telemetry, "source");
    const destination = { host: "db.shop.svc.cluster.local", servicePort: 5432 };
    const remove = (name: string): void => void headers.delete(name);
    const span = side && startSpan(side, Object.assign(headers, { remove }), { destination });
    assert.ok(span);
    const heard = nextLine();
    endSpan(span, loggedCall({ entry: { response_code: 503, reporter: "source" } }));
    await tracing.close();
    const [resourceSpans, ...others] = ((await heard) as RequestJson).resourceSpans;
    assert.deepEqual(others, []);
    const [read] = resourceSpans?.scopeSpans[0]?.spans ?? [];
    assert.ok(read);
    assert.deepEqual(
      [read.name, read.kind, read.traceState, read.status.code],
      ["db.shop.svc.cluster.local:5432/*", "SPAN_KIND_CLIENT", "a=1", "STATUS_CODE_ERROR"],
    );
    const hexOf = (base64: string): string => Buffer.from(base64, "base64").toString("hex");
    assert.deepEqual([hexOf(read.traceId), hexOf(read.parentSpanId)], [TRACE, PARENT]);
    assert.ok(BigInt(read.endTimeUnixNano) >= BigInt(read.startTimeUnixNano));
    assert.ok(Math.abs(Number(read.startTimeUnixNano) / 1e6 - Date.now()) < 30_000);
    const textIn = (all: readonly KeyValue[], name: string): string | undefined =>
      all.find(({ key }) => key === name)?.value.stringValue;
    assert.equal(textIn(read.attributes, "http.status_code"), "503");
    assert.equal(textIn(read.attributes, "team"), "bleu é");
    assert.equal(textIn(resourceSpans?.resource.attributes ?? [], "service.name"), "api.shop");
  });
}
