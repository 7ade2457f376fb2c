/**
 * Frames of SPDY/3.1 as bytes, as far as port-forward and exec of Kubernetes use them.
 * Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/ section 2.2
 */
import { SpdyError } from "./spdy-error.ts";

const VERSION = 3;
const HEAD_BYTES = 8;
const CONTROL = 0x8000;
const STREAM_ID = 0x7fffffff;
/** A client sends what it reads from a connection, some tens of KiB at a time. */
const MAX_DATA_BYTES = 1024 * 1024;
const MAX_CONTROL_BYTES = 16 * 1024;

export const FLAG_FIN = 1;

const TYPES = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;

/** Why a stream is refused, or given up. Section 2.6.3 */
export const RST_STATUS = { protocolError: 1, refusedStream: 3, cancel: 5 } as const;

export type SpdyFrame =
  | {
      readonly type: "data";
      readonly streamId: number;
      readonly fin: boolean;
      readonly data: Buffer;
    }
  | {
      readonly type: "syn-stream";
      readonly streamId: number;
      readonly fin: boolean;
      /** Compressed. */
      readonly headers: Buffer;
    }
  | { readonly type: "rst-stream"; readonly streamId: number }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "go-away" }
  /** Settings, further headers, windows: nobody here heeds them. */
  | { readonly type: "other"; readonly headers?: Buffer };

/**
 * Reads frames one after the other; whoever takes them slowly makes the sender wait.
 *
 * @throws SpdyError
 */
export async function* readFrames(bytes: AsyncIterable<Buffer>): AsyncGenerator<SpdyFrame> {
  const parts: Buffer[] = [];
  let length = 0;
  let needed = HEAD_BYTES;
  for await (const part of bytes) {
    parts.push(part);
    length += part.length;
    if (length < needed) continue;
    let held = parts.length === 1 ? part : Buffer.concat(parts);
    for (needed = neededOf(held); held.length >= needed; needed = neededOf(held)) {
      yield parseFrame(held.subarray(0, needed));
      held = held.subarray(needed);
    }
    parts.length = 0;
    if (held.length > 0) parts.push(held);
    length = held.length;
  }
}

/** How many bytes the first frame has, as far as that is known. @throws SpdyError */
function neededOf(held: Buffer): number {
  if (held.length < HEAD_BYTES) return HEAD_BYTES;
  const size = held.readUIntBE(5, 3);
  const isControl = (held.readUInt16BE(0) & CONTROL) !== 0;
  const most = isControl ? MAX_CONTROL_BYTES : MAX_DATA_BYTES;
  if (size > most) throw new SpdyError(`a frame of ${size} bytes; at most ${most} are taken`);
  return HEAD_BYTES + size;
}

function parseFrame(frame: Buffer): SpdyFrame {
  const first = frame.readUInt16BE(0);
  const fin = ((frame[4] ?? 0) & FLAG_FIN) !== 0;
  const body = frame.subarray(HEAD_BYTES);
  if ((first & CONTROL) === 0)
    return { type: "data", streamId: frame.readUInt32BE(0) & STREAM_ID, fin, data: body };
  if ((first & ~CONTROL) !== VERSION)
    throw new SpdyError(`version ${first & ~CONTROL} of SPDY; expected ${VERSION}`);
  const type = frame.readUInt16BE(2);
  switch (type) {
    case TYPES.synStream:
      return { type: "syn-stream", streamId: idIn(body, 10), fin, headers: body.subarray(10) };
    case TYPES.rstStream:
      return { type: "rst-stream", streamId: idIn(body, 8) };
    case TYPES.ping:
      return { type: "ping", id: idIn(body, 4) };
    case TYPES.goAway:
      return { type: "go-away" };
    case HEADERS:
      // It changes what the following blocks are compressed with.
      return idIn(body, 4) === 0 ? { type: "other" } : { type: "other", headers: body.subarray(4) };
    default:
      return { type: "other" };
  }
}

const HEADERS = 8;

/** @param least how many bytes such a frame has at least */
function idIn(body: Buffer, least: number): number {
  if (body.length < least) throw new SpdyError("a frame is too short for what it is");
  return body.readUInt32BE(0) & STREAM_ID;
}

export function dataFrame(
  streamId: number,
  { data, fin }: { readonly data: Buffer; readonly fin: boolean },
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUIntBE(data.length, 5, 3);
  head[4] = fin ? FLAG_FIN : 0;
  return Buffer.concat([head, data]);
}

/** @param headers compressed */
export function synReplyFrame(streamId: number, headers: Buffer): Buffer {
  return controlFrame(TYPES.synReply, Buffer.concat([number32(streamId), headers]));
}

export function rstStreamFrame(streamId: number, status: number): Buffer {
  return controlFrame(TYPES.rstStream, Buffer.concat([number32(streamId), number32(status)]));
}

export function pingFrame(id: number): Buffer {
  return controlFrame(TYPES.ping, number32(id));
}

/** @param lastStreamId the last one that was taken */
export function goAwayFrame(lastStreamId: number): Buffer {
  return controlFrame(TYPES.goAway, Buffer.concat([number32(lastStreamId), number32(0)]));
}

function controlFrame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(CONTROL | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
