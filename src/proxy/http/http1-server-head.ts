/** Writes the head of an answer to a client of HTTP/1 straight into what goes out next. */
import { STATUS_CODES } from "node:http";
import { FIELD } from "../../http/field-names.ts";
import type { LocalAnswer, WriteAnswer } from "../../http/http1/local-answer.ts";
import { copy } from "../../http/http1/write-bytes.ts";
import { copyField, writeLineEnd } from "../../http/http1/write-head.ts";
import {
  CHUNKED_LINE,
  CLOSE_LINE,
  KEEP_ALIVE_LINE,
  WEBSOCKET_LINES,
  writeLengthLine,
} from "../../http/http1/written-lines.ts";
import type { ReceivedFields } from "./received-message.ts";
import type { SocketEnd } from "./socket-end.ts";

/** What follows the fields of the callee. */
export interface AnswerEnding {
  /** What `Content-Length` says; -1: there is none. */
  readonly contentLength: number;
  /** Whole lines. */
  readonly lines: Buffer;
}

/** Lines about the connection and the framing, by what they say. */
export const ENDING: Readonly<
  Record<"nothing" | "close" | "keepAlive" | "websocket" | "chunked" | "chunkedAndClose", Buffer>
> = {
  nothing: Buffer.alloc(0),
  close: CLOSE_LINE,
  keepAlive: KEEP_ALIVE_LINE,
  websocket: WEBSOCKET_LINES,
  chunked: CHUNKED_LINE,
  chunkedAndClose: Buffer.concat([CHUNKED_LINE, CLOSE_LINE]),
};

/** What is longer is put together elsewhere: a batch may have no room for it. */
const LARGEST_IN_PLACE = 16_384;
/** `Content-Length`, a number and the blank line. */
const ENDING_BYTES = 48;
const STATUS_LINES: Buffer[] = [];

/** Only fields that go on are written, and no `Content-Length` but that of the ending. */
export function writeAnswerHead(
  output: SocketEnd,
  { status, fields }: { readonly status: number; readonly fields: ReceivedFields | undefined },
  ending: AnswerEnding,
): void {
  const line = statusLine(status);
  const most = line.length + mostBytes(fields) + ending.lines.length + ENDING_BYTES;
  if (most > LARGEST_IN_PLACE) {
    const bytes = Buffer.allocUnsafe(most);
    output.write(bytes, 0, writeParts(bytes, 0, { line, fields, ending }));
    return;
  }
  const batch = output.room(most);
  batch.length = writeParts(batch.bytes, batch.length, { line, fields, ending });
}

export function writeLocalAnswer(output: SocketEnd, answer: LocalAnswer, how: WriteAnswer): void {
  const most = answer.maxBytes;
  if (most > LARGEST_IN_PLACE) {
    const bytes = Buffer.allocUnsafe(most);
    output.write(bytes, 0, answer.write(bytes, 0, how));
    return;
  }
  const batch = output.room(most);
  batch.length = answer.write(batch.bytes, batch.length, how);
}

interface HeadParts {
  readonly line: Buffer;
  readonly fields: ReceivedFields | undefined;
  readonly ending: AnswerEnding;
}

function writeParts(target: Buffer, at: number, { line, fields, ending }: HeadParts): number {
  let end = copy(line, target, at);
  if (fields !== undefined) end = writeFields(target, end, fields);
  if (ending.contentLength >= 0) end = writeLengthLine(target, end, ending.contentLength);
  end = copy(ending.lines, target, end);
  return writeLineEnd(target, end);
}

function writeFields(target: Buffer, at: number, fields: ReceivedFields): number {
  const { count, ids } = fields;
  const to = { target, at };
  for (let index = 0; index < count; index++) {
    if (ids[index] === FIELD["content-length"] || !fields.goesOn(index)) continue;
    to.at = copyField(fields, index, to);
  }
  return to.at;
}

function mostBytes(fields: ReceivedFields | undefined): number {
  if (fields === undefined) return 0;
  const { count, ranges } = fields;
  let most = 4 * count;
  for (let place = 0; place < 4 * count; place += 2) {
    most += (ranges[place + 1] ?? 0) - (ranges[place] ?? 0);
  }
  return most;
}

function statusLine(status: number): Buffer {
  STATUS_LINES[status] ??= Buffer.from(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`,
    "latin1",
  );
  return STATUS_LINES[status];
}
