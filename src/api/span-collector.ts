/** Providers of kind `opentelemetry`: where spans are sent, and how. */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { parseDuration } from "./webhook/duration.ts";
import { isGiven, numberIn, textIn } from "./webhook/written-values.ts";

export interface OpenTelemetryCollector {
  readonly name: string;
  readonly kind: "opentelemetry";
  /** `[NAMESPACE/]HOST` */
  readonly service: string;
  readonly port: number;
  readonly protocol: "grpc" | "http";
  /** Of `http`: begins with a slash. */
  readonly path: string;
  readonly timeoutMs: number;
  /** Sent along, in lower case: of `http` headers, of `grpc` metadata. */
  readonly headers: Readonly<Record<string, string>>;
  /** Most characters of a path in a span; absent: as the mesh says. */
  readonly maxTagLength?: number;
  /** Who the workload is for OpenTelemetry: as Istio's own sidecars say, or by its conventions for Kubernetes. */
  readonly serviceNaming: "istio" | "opentelemetry";
}

/** As OpenTelemetry's own exporters. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 300_000;
const NANOSECONDS_PER_MS = 1e6;
const NO_EFFECT = ["resourceDetectors", "dynatraceSampler"];

export function openTelemetryCollector(fields: Fields, name: string): OpenTelemetryCollector {
  for (const unused of NO_EFFECT) {
    if (fields.has(unused)) fields.notice(unused, "has no effect here");
  }
  const protocol = fields.has("http") ? "http" : "grpc";
  const carrier = fields.section(protocol);
  const path = textIn(carrier, "path");
  const maxTagLength = numberIn(fields, "maxTagLength");
  return {
    name,
    kind: "opentelemetry",
    service: textIn(fields, "service"),
    port: numberIn(fields, "port"),
    protocol,
    path: path.startsWith("/") ? path : `/${path}`,
    timeoutMs: timeoutMs(carrier),
    headers: headersOf(carrier, protocol === "http" ? "headers" : "initialMetadata"),
    ...(maxTagLength > 0 && { maxTagLength }),
    serviceNaming:
      textIn(fields, "serviceAttributeEnrichment") === "OTEL_SEMANTIC_CONVENTIONS"
        ? "opentelemetry"
        : "istio",
  };
}

function timeoutMs(carrier: Fields): number {
  const timeout = parseDuration(textIn(carrier, "timeout")) ?? 0;
  if (timeout <= 0) return DEFAULT_TIMEOUT_MS;
  return Math.min(MAX_TIMEOUT_MS, Math.ceil(timeout / NANOSECONDS_PER_MS));
}

/** Names that could not be sent are left out, as is what the protocol itself says. */
function headersOf(carrier: Fields, field: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    carrier.list(field).flatMap((header) => {
      const name = textIn(header, "name").toLowerCase();
      const value = textIn(header, "value");
      if (isGiven(header, "envName")) {
        header.notice("envName", `is not looked up here: ${quoted(name)} is not sent`);
        return [];
      }
      if (SENDABLE_NAME.test(name) && SENDABLE_VALUE.test(value) && !OWN_HEADERS.has(name)) {
        return [[name, value] as const];
      }
      header.noticeHere(`${quoted(name)} is not sent: its name or value cannot be`);
      return [];
    }),
  );
}

const SENDABLE_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/;
const SENDABLE_VALUE = /^[\t -~]{0,8192}$/;
/** What frames a message, or says what it is. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
