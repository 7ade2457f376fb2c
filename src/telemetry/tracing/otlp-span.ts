/**
 * Spans in OTLP's bytes: messages of `opentelemetry.proto.trace.v1`, whose field numbers are frozen.
 * Source: https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/trace/v1/trace.proto
 */
import { ProtobufWriter } from "./protobuf-writer.ts";
import type { Span } from "./span.ts";

export interface EndedSpan {
  readonly kind: "server" | "client";
  /** Milliseconds since 1970, with fractions. */
  readonly endedAt: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly isError: boolean;
}

const KINDS = { server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

/** One for all: a span is encoded in one go, and copied out. */
const writer = new ProtobufWriter();

/** @returns one `Span` */
export function encodeSpan(
  { traceId, spanId, parentId, traceState = "", name, startedAt }: Omit<Span, "side">,
  { kind, endedAt, attributes, isError }: EndedSpan,
): Buffer {
  writer.begin();
  writer.hex(1, traceId);
  writer.hex(2, spanId);
  writer.text(3, traceState);
  if (parentId !== undefined) writer.hex(4, parentId);
  writer.text(5, name);
  writer.integer(6, KINDS[kind]);
  writer.fixed64(7, nanoseconds(startedAt));
  writer.fixed64(8, nanoseconds(Math.max(startedAt, endedAt)));
  for (const [key, value] of attributes) writer.attribute(9, { key, value });
  if (isError) writer.bytes(15, ERROR);
  return writer.end();
}

const ERROR = message((status) => status.integer(3, STATUS_ERROR));

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1_000)) * 1_000n;
}

export interface SpanOrigin {
  readonly serviceName: string;
  /** Of what tells the spans. */
  readonly version?: string;
}

const PRODUCT = "hauberk";

/** @returns makes one `ExportTraceServiceRequest` of encoded spans */
export function spanRequests({
  serviceName,
  version,
}: SpanOrigin): (spans: readonly Buffer[]) => Buffer {
  const resource = message((fields) => {
    fields.attribute(1, { key: "service.name", value: serviceName });
    fields.attribute(1, { key: "telemetry.sdk.language", value: "nodejs" });
    fields.attribute(1, { key: "telemetry.sdk.name", value: PRODUCT });
    if (version !== undefined) {
      fields.attribute(1, { key: "telemetry.sdk.version", value: version });
    }
  });
  const scope = message((fields) => fields.text(1, PRODUCT));
  return (spans) => {
    const scopeSpans = message((fields) => {
      fields.bytes(1, scope);
      for (const span of spans) fields.bytes(2, span);
    });
    const resourceSpans = message((fields) => {
      fields.bytes(1, resource);
      fields.bytes(2, scopeSpans);
    });
    return message((fields) => fields.bytes(1, resourceSpans));
  };
}

function message(write: (fields: ProtobufWriter) => void): Buffer {
  const fields = new ProtobufWriter();
  fields.begin();
  write(fields);
  return fields.end();
}
