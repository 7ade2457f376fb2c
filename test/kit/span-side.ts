/** One side of a sidecar that tells spans, and what it told. */
import type { SideTracing } from "../../src/policy/workload-view.ts";
import { spanRequests } from "../../src/telemetry/tracing/otlp-span.ts";
import type { TraceHeaders } from "../../src/telemetry/tracing/span.ts";
import { SpanExporter } from "../../src/telemetry/tracing/span-exporter.ts";
import { SpanSide } from "../../src/telemetry/tracing/span-side.ts";
import { type ReadSpan, readRequest } from "./otlp-messages.ts";
import { recordedLog } from "./recorded-log.ts";

export const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
export const PARENT = "00f067aa0ba902b7";
export const SAMPLED: string = `00-${TRACE}-${PARENT}-01`;
export const NODE_ID = "sidecar~10.0.0.7~api-0.shop~shop.svc.cluster.local";

export const TRACING: SideTracing = {
  collector: {
    provider: "otel",
    host: "otel",
    port: 4317,
    protocol: "grpc",
    path: "/",
    timeoutMs: 1_000,
    headers: {},
  },
  serviceName: "api.shop",
  sampledOf10000: 0,
  sampledBy: "chance",
  propagation: "on",
  maxPathLength: 256,
  tags: [],
};

export interface SideParts extends Partial<SideTracing> {
  readonly reporter?: "source" | "destination";
}

/** Samples nothing by itself, unless `changes` say so. */
export function sideOf({ reporter = "destination", ...changes }: SideParts = {}): {
  readonly side: SpanSide;
  readonly told: () => readonly ReadSpan[];
} {
  const spans: Buffer[] = [];
  const exporter = new SpanExporter({
    provider: "otel",
    send: () => Promise.resolve({ outcome: "taken" }),
    requestOf: () => Buffer.alloc(0),
    log: recordedLog(),
    chance: () => 0,
  });
  exporter.add = (span) => void spans.push(span);
  const side = new SpanSide({
    reporter,
    tracing: { ...TRACING, ...changes },
    operations: [{ containerPort: 8080, name: "api.shop.svc.cluster.local:80/*" }],
    exporter,
    nodeId: NODE_ID,
    chance: () => 0,
  });
  return { side, told: () => readRequest(spanRequests({ serviceName: "api.shop" })(spans)).spans };
}

export function headersOf(
  fields: Readonly<Record<string, string>>,
): TraceHeaders & Map<string, string> {
  const headers = new Map(Object.entries(fields));
  return Object.assign(headers, { remove: (name: string) => void headers.delete(name) });
}
