/** OTLP's messages as protobuf's own library reads them, so that what sidecars write by hand is read by somebody else. */
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

type Row = readonly [name: string, number: number, type: Type | string, label?: "repeated"];

/** Names, numbers and types as in opentelemetry-proto 1.7. */
const MESSAGES: Readonly<Record<string, readonly Row[]>> = {
  ExportTraceServiceRequest: [["resource_spans", 1, "ResourceSpans", "repeated"]],
  ResourceSpans: [
    ["resource", 1, "Resource"],
    ["scope_spans", 2, "ScopeSpans", "repeated"],
  ],
  Resource: [["attributes", 1, "KeyValue", "repeated"]],
  ScopeSpans: [
    ["scope", 1, "InstrumentationScope"],
    ["spans", 2, "Span", "repeated"],
  ],
  InstrumentationScope: [
    ["name", 1, Type.STRING],
    ["version", 2, Type.STRING],
  ],
  Span: [
    ["trace_id", 1, Type.BYTES],
    ["span_id", 2, Type.BYTES],
    ["trace_state", 3, Type.STRING],
    ["parent_span_id", 4, Type.BYTES],
    ["name", 5, Type.STRING],
    ["kind", 6, Type.INT32],
    ["start_time_unix_nano", 7, Type.FIXED64],
    ["end_time_unix_nano", 8, Type.FIXED64],
    ["attributes", 9, "KeyValue", "repeated"],
    ["status", 15, "Status"],
  ],
  Status: [
    ["message", 2, Type.STRING],
    ["code", 3, Type.INT32],
  ],
  KeyValue: [
    ["key", 1, Type.STRING],
    ["value", 2, "AnyValue"],
  ],
  AnyValue: [["string_value", 1, Type.STRING]],
};

const file = create(FileDescriptorProtoSchema, {
  name: "otlp.proto",
  package: "otlp",
  syntax: "proto3",
  messageType: Object.entries(MESSAGES).map(([name, rows]) => ({
    name,
    field: rows.map(([field, number, type, label]) => ({
      name: field,
      jsonName: field.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      number,
      label: label === "repeated" ? Label.REPEATED : Label.OPTIONAL,
      ...(typeof type === "string" ? { type: Type.MESSAGE, typeName: `.otlp.${type}` } : { type }),
    })),
  })),
});
const registry = createFileRegistry(file, () => undefined);

export interface ReadSpan {
  /** Hexadecimal. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly attributes: Readonly<Record<string, string>>;
  /** 0 for none. */
  readonly status: number;
}

export interface ReadRequest {
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: string;
  readonly spans: readonly ReadSpan[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

/** The shape of protobuf's JSON. */
interface RequestJson {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly SpanJson[];
    }[];
  }[];
}

interface SpanJson {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status?: { readonly code: number };
}

const WITH_EMPTY = { alwaysEmitImplicit: true };

/** @throws Error for bytes that are no request of one resource and one scope */
export function readRequest(bytes: Uint8Array): ReadRequest {
  const schema = messageNamed("ExportTraceServiceRequest");
  const json = toJson(schema, fromBinary(schema, bytes), WITH_EMPTY) as unknown as RequestJson;
  const [only, ...others] = json.resourceSpans;
  const [scoped, ...further] = only?.scopeSpans ?? [];
  if (only === undefined || scoped === undefined || others.length + further.length > 0) {
    throw new Error("expected one resource with one scope");
  }
  return {
    resource: attributesOf(only.resource.attributes),
    scope: scoped.scope.name,
    spans: scoped.spans.map(readSpan),
  };
}

function messageNamed(name: string): DescMessage {
  const message = registry.getMessage(`otlp.${name}`);
  if (message === undefined) throw new Error(`no message ${name}`);
  return message;
}

function readSpan(span: SpanJson): ReadSpan {
  return {
    traceId: hexOf(span.traceId),
    spanId: hexOf(span.spanId),
    parentSpanId: hexOf(span.parentSpanId),
    traceState: span.traceState,
    name: span.name,
    kind: span.kind,
    startNano: BigInt(span.startTimeUnixNano),
    endNano: BigInt(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes),
    status: span.status?.code ?? 0,
  };
}

function hexOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

function attributesOf(attributes: readonly Attribute[]): Readonly<Record<string, string>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}
