/**
 * OTLP over gRPC without TLS of its own, as Istio's providers speak it by default: one unary call, on HTTP/2 as Node has it.
 * Source: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc and https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { type ClientHttp2Session, constants, connect as openSession } from "node:http2";
import type { SpanCollector } from "../../policy/workload-view.ts";
import { type ConnectCollector, requestSignal } from "./collector-connection.ts";
import type { SendRequest, SendResult } from "./span-exporter.ts";

const METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/** Cancelled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss. */
const TRY_AGAIN: ReadonlySet<string> = new Set(["1", "4", "10", "11", "14", "15"]);
const OK = "0";
/** Of an answer, which nobody reads: longer ones are cut. */
const MAX_ANSWER_BYTES = 65_536;
const MAX_PROBLEM = 256;

/** @param connect each request has a connection of its own */
export function sendOverGrpc(collector: SpanCollector, connect: ConnectCollector): SendRequest {
  return async (message, signal) => {
    const both = requestSignal(collector.timeoutMs, signal);
    const socket = await connect(collector, both);
    const authority = `http://${collector.host}:${collector.port}`;
    const session = openSession(authority, { createConnection: () => socket });
    try {
      return await call(session, { collector, message, signal: both });
    } finally {
      session.destroy();
      socket.destroy();
    }
  };
}

interface OneCall {
  readonly collector: SpanCollector;
  readonly message: Buffer;
  readonly signal: AbortSignal;
}

function call(
  session: ClientHttp2Session,
  { collector, message, signal }: OneCall,
): Promise<SendResult> {
  return new Promise((resolve, reject) => {
    session.on("error", reject).once("close", () => reject(new Error("the connection closed")));
    const stream = session.request(
      {
        ...collector.headers,
        ":method": "POST",
        ":path": METHOD,
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": `${Math.min(collector.timeoutMs, 99_999_999)}m`,
        "user-agent": "hauberk",
      },
      { signal },
    );
    let status: GrpcStatus = { code: undefined, message: "" };
    const hear = (headers: Readonly<Record<string, unknown>>): void => {
      status = statusOf(headers, status);
    };
    let bytes = 0;
    stream.on("response", hear).on("trailers", hear).on("error", reject);
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.once("close", () => resolve(resultOf(status)));
    stream.end(framed(message));
  });
}

/** Not compressed, and so long. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

interface GrpcStatus {
  /** Undefined: none was told. */
  readonly code: string | undefined;
  readonly message: string;
}

/** Of the trailers, or of a head without body; a head that is no gRPC's tells its status of HTTP. */
function statusOf(headers: Readonly<Record<string, unknown>>, before: GrpcStatus): GrpcStatus {
  const code = headers["grpc-status"];
  if (code === undefined) {
    const status = headers[":status"];
    const isHttp = status !== undefined && status !== 200;
    return isHttp ? { code: before.code, message: `HTTP status ${String(status)}` } : before;
  }
  const message = headers["grpc-message"];
  return { code: String(code), message: typeof message === "string" ? message : "" };
}

function resultOf({ code, message }: GrpcStatus): SendResult {
  if (code === OK) return { outcome: "taken" };
  const what = code === undefined ? "without a gRPC status" : `with gRPC status ${code}`;
  const problem = `the collector answered ${what} ${message}`.trim().slice(0, MAX_PROBLEM);
  const isTransient = code === undefined ? TRANSIENT_HTTP.test(message) : TRY_AGAIN.has(code);
  return { outcome: isTransient ? "again" : "refused", problem };
}

/** As gRPC takes such a status: Unavailable. */
const TRANSIENT_HTTP = /^(?:|HTTP status (?:429|502|503|504))$/;
