/** A unary call of gRPC, of the sidecar's own: one message there, one back (gRPC over HTTP/2, PROTOCOL-HTTP2.md). */
import { HeldFields } from "../http/held-fields.ts";
import { ReadyField } from "../http/ready-field.ts";
import { type OwnAnswer, OwnCallError, type ServicePlace } from "./own-call.ts";
import type { ServiceCaller } from "./service-caller.ts";

export interface GrpcRequest {
  /** `/PACKAGE.SERVICE/METHOD` */
  readonly path: string;
  /** Whom the callee is told that it is; absent: the place's host. */
  readonly authority?: string | undefined;
  /** Behind `GRPC_PREFIX_OCTETS` that are still free: written over by the call, and not copied. */
  readonly message: Buffer;
  readonly timeoutMs: number;
  /** Of the message that comes back. */
  readonly maxMessageOctets: number;
  /** As of `OwnRequest`. */
  readonly repeat: "harmless" | "never";
}

export interface GrpcCall {
  /** The message. @throws OwnCallError */
  readonly answer: Promise<Buffer>;
  cancel(): void;
}

/** Before each message: whether it is compressed, and its length. */
export const GRPC_PREFIX_OCTETS = 5;
const CONTENT_TYPE = new ReadyField("content-type", "application/grpc");
const TE = new ReadyField("te", "trailers");
const IDENTITY = new ReadyField("grpc-accept-encoding", "identity");
/** More digits than these are not allowed in a timeout. */
const MOST_TIMEOUT = 99_999_999;

export function grpcUnary(caller: ServiceCaller, place: ServicePlace, call: GrpcRequest): GrpcCall {
  const { path, authority = place.host, timeoutMs, maxMessageOctets, repeat } = call;
  const { answer, cancel } = caller.begin(place, {
    method: "POST",
    path,
    authority,
    fields: requestFields(timeoutMs),
    body: framed(call.message),
    framing: "HTTP/2",
    timeoutMs,
    maxAnswerOctets: maxMessageOctets + GRPC_PREFIX_OCTETS,
    repeat,
  });
  return { answer: answer.then(messageOf), cancel };
}

function requestFields(timeoutMs: number): HeldFields {
  const fields = HeldFields.borrow();
  fields.addReady(TE);
  fields.addReady(CONTENT_TYPE);
  fields.addReady(IDENTITY);
  fields.add("grpc-timeout", `${Math.min(MOST_TIMEOUT, Math.max(1, Math.ceil(timeoutMs)))}m`);
  return fields;
}

function framed(message: Buffer): Buffer {
  message[0] = 0;
  message.writeUInt32BE(message.length - GRPC_PREFIX_OCTETS, 1);
  return message;
}

function messageOf({ status, fields, body, trailers }: OwnAnswer): Buffer {
  const said = trailers ?? fields;
  const grpcStatus = said.get("grpc-status");
  const details = said.get("grpc-message");
  fields.release();
  trailers?.release();
  if (status !== 200) throw broken(`status ${status} of HTTP`);
  if (grpcStatus === undefined) throw broken("no grpc-status");
  if (grpcStatus !== "0") throw refused(grpcStatus, details);
  if (body.length < GRPC_PREFIX_OCTETS) throw broken("no message");
  if (body[0] !== 0) throw broken("a compressed message");
  if (body.readUInt32BE(1) !== body.length - GRPC_PREFIX_OCTETS)
    throw broken("not exactly one message");
  return body.subarray(GRPC_PREFIX_OCTETS);
}

function broken(what: string): OwnCallError {
  return new OwnCallError("grpc-status", `the answer is not gRPC's: ${what}`);
}

const MAX_DETAILS = 200;

function refused(grpcStatus: string, details = ""): OwnCallError {
  const code = /^\d{1,2}$/.test(grpcStatus) ? Number(grpcStatus) : undefined;
  const words = details === "" ? "" : `: ${details.slice(0, MAX_DETAILS)}`;
  const said = `grpc-status ${code ?? "that is none"}${words}`;
  return new OwnCallError("grpc-status", said, code === undefined ? {} : { grpcStatus: code });
}
