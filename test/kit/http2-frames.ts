/** HTTP/2 frames and HPACK blocks written by hand, also such as no codec would write; and a connection whose callbacks are kept. */

import { fieldName, fieldValue } from "../../src/http/field-ranges.ts";
import { Http2Connection } from "../../src/http/http2/connection.ts";
import { errorCodeName } from "../../src/http/http2/error-code.ts";
import type { Http2Events, Role } from "../../src/http/http2/events.ts";
import { FLAG, FRAME, PREFACE } from "../../src/http/http2/frame.ts";
import { FieldBlock } from "../../src/http/http2/hpack/field-block.ts";
import type { ReceivedHead } from "../../src/http/http2/received-head.ts";
import type { Http2Stream } from "../../src/http/http2/stream.ts";

export type Field = readonly [name: string, value: string];

export function frame(type: number, flags: number, id: number, payload: Uint8Array = NONE): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, payload]);
}

const NONE = Buffer.alloc(0);

/** Literals without indexing, nothing checked. */
export function block(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(0x7f, 0, bytes.length), bytes]);
}

/** RFC 7541 section 5.1. */
export function integer(mask: number, flags: number, value: number): Buffer {
  if (value < mask) return Buffer.from([flags | value]);
  const octets = [flags | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) + 128);
  return Buffer.from([...octets, rest]);
}

export const GET: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", "shop.example"],
  [":path", "/cart"],
];
export const POST: readonly Field[] = [[":method", "POST"], ...GET.slice(1)];
export const OK: readonly Field[] = [[":status", "200"]];

export function headers(
  id: number,
  fields: readonly Field[],
  ending: "more" | "last" = "last",
): Buffer {
  const flags = FLAG.END_HEADERS | (ending === "last" ? FLAG.END_STREAM : 0);
  return frame(FRAME.HEADERS, flags, id, block(...fields));
}

export function data(
  id: number,
  body: string | Uint8Array,
  ending: "more" | "last" = "more",
): Buffer {
  return frame(FRAME.DATA, ending === "last" ? FLAG.END_STREAM : 0, id, Buffer.from(body));
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
}

export function settings(...parameters: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = parameters.map(([id, value]) =>
    Buffer.concat([Buffer.from([id >> 8, id]), uint32(value)]),
  );
  return frame(FRAME.SETTINGS, 0, 0, Buffer.concat(payload));
}

export const windowUpdate = (id: number, by: number): Buffer =>
  frame(FRAME.WINDOW_UPDATE, 0, id, uint32(by));
export const reset = (id: number, code: number): Buffer =>
  frame(FRAME.RST_STREAM, 0, id, uint32(code));
export const ping = (): Buffer => frame(FRAME.PING, 0, 0, Buffer.alloc(8));
export const goaway = (last: number, code: number): Buffer =>
  frame(FRAME.GOAWAY, 0, 0, uint32(last, code));

/** What a peer says first. */
export function opening(peer: Role): Buffer {
  return Buffer.concat([
    peer === "client" ? PREFACE : NONE,
    settings(),
    frame(FRAME.SETTINGS, FLAG.ACK, 0),
  ]);
}

export interface Frame {
  readonly type: string;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** @param bytes whole frames, perhaps behind a preface */
export function framesOf(bytes: Buffer): Frame[] {
  const names = Object.keys(FRAME);
  const found: Frame[] = [];
  const hasPreface = bytes.subarray(0, PREFACE.length).equals(PREFACE);
  for (let at = hasPreface ? PREFACE.length : 0; at < bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    const type = names[bytes[at + 3] ?? 0] ?? "unknown";
    found.push({
      type,
      flags: bytes[at + 4] ?? 0,
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return found;
}

/** A frame in one line: type, stream, and the code of what ends something. */
export function sayFrame({ type, id, flags, payload }: Frame): string {
  if (type === "RST_STREAM") return `${type} ${id} ${errorCodeName(payload.readUInt32BE(0))}`;
  if (type === "GOAWAY")
    return `${type} ${payload.readUInt32BE(0)} ${errorCodeName(payload.readUInt32BE(4))}`;
  const isEnd = (type === "DATA" || type === "HEADERS") && (flags & FLAG.END_STREAM) !== 0;
  return `${type} ${id}${(type === "SETTINGS" || type === "PING") && flags === FLAG.ACK ? " ACK" : ""}${isEnd ? " END" : ""}`;
}

/** A connection that has been started, and all that it tells. */
export class RecordedHttp2 {
  readonly connection: Http2Connection<number>;
  /** One line a callback; of `flush` none. */
  readonly told: string[] = [];
  readonly streams: Map<number, Http2Stream<number>> = new Map();
  /** Time as the connection sees it; milliseconds. */
  now = 0;
  /** What is done with a body besides being noted. */
  onData: (stream: Http2Stream<number>, octets: number) => void = (stream, octets) =>
    this.connection.consumed(stream, octets);
  onWritable: (stream: Http2Stream<number>) => void = () => {};

  constructor(role: Role) {
    this.connection = new Http2Connection<number>({ role, now: () => this.now }, this.#events());
    this.connection.start();
  }

  receive(...parts: readonly Buffer[]): this {
    const bytes = Buffer.concat(parts);
    this.connection.receive(bytes, 0, bytes.length);
    return this;
  }

  /** All that waits to be written. */
  takeBytes(): Buffer {
    const parts: Buffer[] = [];
    for (let batch = this.connection.take(); batch !== undefined; batch = this.connection.take()) {
      parts.push(Buffer.from(batch.view()));
      batch.release();
    }
    return Buffer.concat(parts);
  }

  /** The same, one line a frame. */
  take(): string[] {
    return framesOf(this.takeBytes()).map(sayFrame);
  }

  stream(id: number): Http2Stream<number> {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`no stream ${id}`);
    return stream;
  }

  #events(): Http2Events<number> {
    const { told, streams } = this;
    return {
      head: (stream, head, following) => {
        streams.set(stream.id, stream);
        told.push(`head ${stream.id} ${following} ${sayHead(head)}`);
      },
      data: (stream, { bytes, from, to, following }) => {
        this.#noteData(`data ${stream.id} `, bytes.toString("latin1", from, to), following);
        this.onData(stream, to - from);
      },
      trailers: (stream, fields) => told.push(`trailers ${stream.id} ${sayFields(fields)}`),
      reset: ({ id }, code) => told.push(`reset ${id} ${errorCodeName(code)}`),
      writable: (stream) => {
        told.push(`writable ${stream.id}`);
        this.onWritable(stream);
      },
      settings: () => told.push("settings"),
      settingsAcknowledged: () => told.push("acknowledged"),
      goaway: (last, code) => told.push(`goaway ${last} ${errorCodeName(code)}`),
      pong: () => told.push("pong"),
      drained: () => told.push("drained"),
      violation: ({ streamId, code, problem }) =>
        told.push(`violation ${streamId} ${errorCodeName(code)}: ${problem}`),
      failed: ({ code, problem }) => told.push(`failed ${errorCodeName(code)}: ${problem}`),
      flush: () => {},
    };
  }

  /** Pieces that follow each other are one: how they were cut says nothing. */
  #noteData(prefix: string, piece: string, following: string): void {
    const last = this.told.at(-1);
    const continues = last?.startsWith(prefix) === true && last.endsWith(" more");
    if (continues) this.told.pop();
    const before = continues ? (last?.slice(prefix.length, -" more".length) ?? "") : "";
    this.told.push(`${prefix}${before}${piece} ${following}`);
  }
}

/** A server whose client has begun; nothing is told yet, and nothing waits. */
export function recordedServer(): RecordedHttp2 {
  const recorded = new RecordedHttp2("server").receive(opening("client"));
  recorded.take();
  recorded.told.length = 0;
  return recorded;
}

/** A client with one request open, of stream 1. */
export function recordedClient(method = "GET", following: "more" | "last" = "last"): RecordedHttp2 {
  const recorded = new RecordedHttp2("client").receive(opening("server"));
  const request = new FieldBlock();
  request.request(method, "http");
  request.authority("shop.example");
  if (method !== "CONNECT") request.path("/");
  const stream = recorded.connection.open(request, following, 0);
  recorded.streams.set(stream.id, stream);
  recorded.take();
  recorded.told.length = 0;
  return recorded;
}

export function sayHead(head: ReceivedHead): string {
  const line =
    head.status > 0 ? String(head.status) : `${head.method} ${head.authority}${head.path}`;
  return `${line} ${sayFields(head)}`;
}

export function sayFields(fields: ReceivedHead): string {
  const lines: string[] = [];
  for (let at = 0; at < fields.count; at++)
    lines.push(`${fieldName(fields, at)}: ${fieldValue(fields, at)}`);
  return `{${lines.join(", ")}}`;
}
