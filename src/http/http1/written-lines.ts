/** Lines that are written as they stand here, and the frames of chunks for who frames a body anew. */
import { CR, LF } from "../byte-classes.ts";
import { copy, writeByte, writeNumber } from "./write-bytes.ts";

export const CLOSE_LINE: Buffer = Buffer.from("Connection: close\r\n");
/** For clients of HTTP/1.0 that asked for it. */
export const KEEP_ALIVE_LINE: Buffer = Buffer.from("Connection: keep-alive\r\n");
/** Of a request that asks for it and goes on, and of the 101 that grants it. */
export const WEBSOCKET_LINES: Buffer = Buffer.from("Connection: upgrade\r\nUpgrade: websocket\r\n");
export const CHUNKED_LINE: Buffer = Buffer.from("Transfer-Encoding: chunked\r\n");
/** An answer by itself; the real one follows (RFC 9110 section 15.2.1). */
export const CONTINUE: Buffer = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");
/** Behind each chunk. */
export const CHUNK_END: Buffer = Buffer.from("\r\n");
/** The last chunk, with no trailers. */
export const LAST_CHUNK: Buffer = Buffer.from("0\r\n\r\n");

const LENGTH = Buffer.from("Content-Length: ");

/** Of a body that is not chunked. @returns the offset behind the line */
export function writeLengthLine(target: Uint8Array, at: number, length: number): number {
  return copy(CHUNK_END, target, writeNumber(target, copy(LENGTH, target, at), length));
}

/** The most bytes that `writeChunkSize` needs. */
export const MAX_CHUNK_SIZE_BYTES = 16;
const DIGITS = Buffer.from("0123456789abcdef");

/** The line before a chunk. @param size at least 1: a chunk of size 0 is the last. @returns the offset behind it */
export function writeChunkSize(target: Uint8Array, at: number, size: number): number {
  if (!(size >= 1 && size <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`no chunk of ${size}`);
  let unit = 1;
  while (unit * 16 <= size) unit *= 16;
  let end = at;
  for (; unit >= 1; unit /= 16) {
    end = writeByte(target, end, DIGITS[Math.floor(size / unit) % 16] ?? 0);
  }
  end = writeByte(target, end, CR);
  return writeByte(target, end, LF);
}
