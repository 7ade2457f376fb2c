/**
 * Asks a gRPC server how it is (`grpc.health.v1.Health/Check`), in plaintext and over a connection that the caller
 * opens: no library of gRPC lets one bring it. Two messages of one field each are read and written here.
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
import { once } from "node:events";
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

export interface HealthCheckOptions {
  /** `host:port`, as the server is told. */
  readonly authority: string;
  readonly open: () => Duplex;
  /** Empty: the server as a whole. */
  readonly service: string;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

const METHOD = "/grpc.health.v1.Health/Check";
/** Compressed or not, and a length. */
const PREFIX_BYTES = 5;
/** An answer is a few bytes. */
const MAX_ANSWER_BYTES = 4096;
/** Of what a server says in refusing. */
const MAX_WORDS = 200;
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;
const UNIMPLEMENTED = "12";

/** @throws Error unless the answer is SERVING */
export async function checkGrpcHealth(options: HealthCheckOptions): Promise<void> {
  const session = connect(`http://${options.authority}`, { createConnection: options.open });
  session.on("error", () => undefined); // told by the stream
  try {
    const stream = session.request(headersOf(options), { signal: options.signal });
    stream.on("error", () => undefined); // heard by whoever waits for the answer
    stream.end(framed(new BinaryWriter().tag(1, 2).string(options.service).finish()));
    const status = servingStatus(await answerOf(stream, options.signal));
    if (status !== SERVING) throw new Error(`it says ${STATUSES[status] ?? status}`);
  } finally {
    session.destroy();
  }
}

function headersOf({ userAgent }: HealthCheckOptions): Record<string, string> {
  return {
    ":method": "POST",
    ":path": METHOD,
    "content-type": "application/grpc",
    "user-agent": userAgent,
    te: "trailers",
  };
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The bytes of the only message; what a server refuses with comes in trailers, or in place of headers. */
async function answerOf(stream: ClientHttp2Stream, signal: AbortSignal): Promise<Buffer> {
  let end: IncomingHttpHeaders = {};
  stream.on("trailers", (trailers) => {
    end = trailers;
  });
  const [headers] = await once(stream, "response", { signal });
  if (headers[":status"] !== 200) throw new Error(`status ${headers[":status"]}`);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream) {
    parts.push(part);
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error("the answer is too long");
  }
  assertOk({ ...headers, ...end });
  return Buffer.concat(parts);
}

/** The words of a refusal stay as they were sent, percent-encoded: they are the application's, and get printed. */
function assertOk({ "grpc-status": code, "grpc-message": message }: IncomingHttpHeaders): void {
  if (code === "0") return;
  if (code === UNIMPLEMENTED) throw new Error("it does not serve grpc.health.v1.Health");
  const words = String(message ?? "").slice(0, MAX_WORDS);
  throw new Error(`gRPC status ${code ?? "missing"}${words && `: ${words}`}`);
}

/** @throws Error for what is no answer */
function servingStatus(bytes: Buffer): number {
  const isWhole =
    bytes.length >= PREFIX_BYTES &&
    bytes[0] === 0 &&
    bytes.readUInt32BE(1) === bytes.length - PREFIX_BYTES;
  if (!isWhole) throw new Error("the answer is no message");
  const reader = new BinaryReader(bytes.subarray(PREFIX_BYTES));
  let status = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === 0) status = reader.int32();
    else reader.skip(type, field);
  }
  return status;
}
