/**
 * Writes requests in HTTP/1.1, straight into what goes out next: a head of what is known of the request, and its body in
 * framing of our own, so that nothing which was sent to confuse one reader reaches another.
 */
import { FIELD_VALUE, TARGET, TOKEN } from "../../http/byte-classes.ts";
import { FIELD } from "../../http/field-names.ts";
import { FRAMING } from "../../http/http1/framing.ts";
import { mayBeTrailer } from "../../http/http1/trailers.ts";
import { copy, copyRange, writeByte, writeChecked } from "../../http/http1/write-bytes.ts";
import { copyField, writeLineEnd } from "../../http/http1/write-head.ts";
import {
  CHUNK_END,
  CHUNKED_LINE,
  LAST_CHUNK,
  MAX_CHUNK_SIZE_BYTES,
  WEBSOCKET_LINES,
  writeChunkSize,
  writeLengthLine,
} from "../../http/http1/written-lines.ts";
import type { HeldFields } from "./held-fields.ts";
import type { Following, ReceivedFields } from "./received-message.ts";
import type { SocketEnd } from "./socket-end.ts";
import type { OutgoingRequest } from "./streams.ts";

/** Written by us, or never (RFC 9110 sections 7.6.1 and 10.1.1), whatever the steps have left of it. */
const OWN_FIELDS =
  (1 << FIELD.host) |
  (1 << FIELD["content-length"]) |
  (1 << FIELD["transfer-encoding"]) |
  (1 << FIELD.connection) |
  (1 << FIELD.upgrade) |
  (1 << FIELD.expect) |
  (1 << FIELD.te) |
  (1 << FIELD["keep-alive"]);
/** What a field may need beside its name and value. */
const FIELD_OVERHEAD = 4;
/** Of all lines that are ours, but for what they quote. */
const OWN_LINES = 256;
/** A longer head is put together elsewhere. */
const LONGEST_IN_PLACE = 16_384;
/** Methods for which a missing length would be read as a body to come (RFC 9110 section 8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const VERSION = Buffer.from(" HTTP/1.1\r\n");
const HOST = Buffer.from("Host: ");
const SEMICOLON = 59;
const SPACE = 32;

/** @returns how its body is to be written, one of `FRAMING`. @throws RangeError when a part of it could end a line */
export function writeRequestHead(
  end: SocketEnd,
  request: OutgoingRequest,
  following: Following,
): number {
  const framing = framingOf(request, following);
  const longest = longestHead(request);
  if (longest <= LONGEST_IN_PLACE) {
    const batch = end.room(longest);
    batch.length = writeHead(batch.bytes, batch.length, { request, framing });
  } else {
    const bytes = Buffer.allocUnsafe(longest);
    end.write(bytes, 0, writeHead(bytes, 0, { request, framing }));
  }
  return framing;
}

/** An upgrade's further bytes are not its body: they wait for the answer. */
function framingOf(request: OutgoingRequest, following: Following): number {
  if (following === "last" || asksForSwitch(request)) return FRAMING.none;
  return request.contentLength >= 0 ? FRAMING.length : FRAMING.chunked;
}

/** Whether what follows may be no HTTP any more, if the answer says so. */
export function asksForSwitch({ method, upgrade }: OutgoingRequest): boolean {
  return upgrade !== undefined || method === "CONNECT";
}

interface HeadParts {
  readonly request: OutgoingRequest;
  /** One of `FRAMING`. */
  readonly framing: number;
}

function writeHead(target: Buffer, from: number, { request, framing }: HeadParts): number {
  let at = writeStartLine(target, from, request);
  at = copy(HOST, target, at);
  at = writeChecked(target, at, { text: request.authority ?? "", allowed: FIELD_VALUE });
  at = writeLineEnd(target, at);
  at = writeFields(target, at, request.fields);
  if (request.upgrade === "websocket") at = copy(WEBSOCKET_LINES, target, at);
  if (framing === FRAMING.chunked) at = copy(CHUNKED_LINE, target, at);
  else at = writeLength(target, at, { request, framing });
  return writeLineEnd(target, at);
}

/** A tunnel's target is its authority (RFC 9112 section 3.2.3). */
function writeStartLine(target: Buffer, at: number, request: OutgoingRequest): number {
  const { method, path, authority = "" } = request;
  const place = method === "CONNECT" ? authority : path;
  if (method === "" || place === "") throw new RangeError("a part of the request line is empty");
  const end = writeChecked(target, at, { text: method, allowed: TOKEN });
  const behind = writeByte(target, end, SPACE);
  return copy(VERSION, target, writeChecked(target, behind, { text: place, allowed: TARGET }));
}

/** Never promises a body that does not come. */
function writeLength(target: Buffer, at: number, { request, framing }: HeadParts): number {
  const { method, contentLength } = request;
  const length = framing === FRAMING.length ? contentLength : 0;
  if (method === "CONNECT") return at;
  if (contentLength < 0 && !WITH_BODY.has(method)) return at;
  return writeLengthLine(target, at, length);
}

function writeFields(target: Buffer, from: number, fields: HeldFields): number {
  const { ids, count } = fields;
  const to = { target, at: from };
  let hasCookie = false;
  for (let index = 0; index < count; index++) {
    const id = ids[index] ?? 0;
    if (!fields.goesOn(index) || (id < 32 && (OWN_FIELDS & (1 << id)) !== 0)) continue;
    if (id !== FIELD.cookie) to.at = copyField(fields, index, to);
    else if (!hasCookie) {
      hasCookie = true;
      to.at = writeCookies(fields, index, to);
    }
  }
  return to.at;
}

/** HTTP/2 may cut them into several fields; HTTP/1 knows only one (RFC 9113 section 8.2.3). */
function writeCookies(
  fields: HeldFields,
  first: number,
  to: { readonly target: Buffer; readonly at: number },
): number {
  const { bytes, ids, count, ranges } = fields;
  const { target } = to;
  let at = copyField(fields, first, to);
  for (let index = first + 1; index < count; index++) {
    if (ids[index] !== FIELD.cookie || !fields.goesOn(index)) continue;
    at = writeByte(target, writeByte(target, at - CHUNK_END.length, SEMICOLON), SPACE);
    const [start = 0, end = 0] = [ranges[4 * index + 2], ranges[4 * index + 3]];
    at = writeLineEnd(target, copyRange({ bytes, start, end }, target, at));
  }
  return at;
}

/** Of texts that lie one behind the other, the last one's end says how long they are together, or more. */
function longestHead({ method, path, authority = "", fields }: OutgoingRequest): number {
  const { count, ranges } = fields;
  const texts = count > 0 ? (ranges[4 * count - 1] ?? 0) : 0;
  const line = method.length + path.length + 2 * authority.length;
  return OWN_LINES + line + texts + FIELD_OVERHEAD * count;
}

/** The body of one message after the other, each framed as its head has announced. */
export class Http1BodyWriter {
  readonly #end: SocketEnd;
  #framing: number = FRAMING.none;
  /** Octets that the head has promised and that are still to come. */
  #left = 0;
  #isOver = true;

  constructor(end: SocketEnd) {
    this.#end = end;
  }

  /** Whether all of the message was written. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @param framing none, length or chunked; switched: bytes go out as they are */
  begin(framing: number, length: number): void {
    this.#framing = framing;
    this.#left = length;
    this.#isOver = framing === FRAMING.none;
  }

  /** The rest is not wanted. The connection cannot carry another message. */
  abandon(): void {
    this.#isOver = true;
  }

  /** @returns whether the piece is one that the head has room for; otherwise nothing was written, and nothing can be */
  data(bytes: Buffer, from: number, to: number, following: Following): boolean {
    const octets = to - from;
    if (this.#framing === FRAMING.length) {
      if (octets > this.#left || (following === "last" && octets < this.#left)) return false;
      this.#left -= octets;
    }
    const isChunk = this.#framing === FRAMING.chunked;
    if (isChunk && octets > 0) this.#writeChunk(bytes, from, to);
    else if (octets > 0) this.#end.write(bytes, from, to);
    if (following === "more") return true;
    this.#isOver = true;
    if (isChunk) this.#end.write(LAST_CHUNK, 0, LAST_CHUNK.length);
    return true;
  }

  /** Ends the body. Without chunks there is no place for trailers, and they are left out. @returns as `data` does */
  trailers(fields: ReceivedFields): boolean {
    if (this.#framing !== FRAMING.chunked) return this.data(NOTHING, 0, 0, "last");
    this.#isOver = true;
    const bytes = Buffer.allocUnsafe(longestTrailers(fields));
    const to = { target: bytes, at: copyRange(LAST_SIZE, bytes, 0) };
    for (let index = 0; index < fields.count; index++) {
      const goesOn = fields.goesOn(index) && mayBeTrailer(fields, index);
      if (goesOn) to.at = copyField(fields, index, to);
    }
    this.#end.write(bytes, 0, writeLineEnd(bytes, to.at));
    return true;
  }

  #writeChunk(bytes: Buffer, from: number, to: number): void {
    const batch = this.#end.room(MAX_CHUNK_SIZE_BYTES);
    batch.length = writeChunkSize(batch.bytes, batch.length, to - from);
    this.#end.write(bytes, from, to);
    this.#end.write(CHUNK_END, 0, CHUNK_END.length);
  }
}

function longestTrailers({ count, ranges }: ReceivedFields): number {
  let longest = LAST_CHUNK.length;
  for (let place = 0; place < 4 * count; place += 4) {
    longest += (ranges[place + 1] ?? 0) - (ranges[place] ?? 0) + FIELD_OVERHEAD;
    longest += (ranges[place + 3] ?? 0) - (ranges[place + 2] ?? 0);
  }
  return longest;
}

const NOTHING = Buffer.alloc(0);
/** The last chunk's own line, behind which trailers stand. */
const LAST_SIZE = { bytes: LAST_CHUNK, start: 0, end: LAST_CHUNK.length - CHUNK_END.length };
