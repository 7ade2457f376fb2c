/**
 * The trailers of a chunked body: read by the same rules as a head, and refused if a reader who merges them with the head
 * could be told by them where a message ends, where it goes or who sent it (RFC 9110 section 6.5.1).
 */
import { FIELD, type KnownFieldName } from "../field-names.ts";
import type { FieldRanges } from "../field-ranges.ts";
import { isWord } from "./connection-options.ts";
import { FieldSection, INCOMPLETE } from "./field-section.ts";
import { PROBLEM } from "./problem.ts";

/** Of all lines, with the blank one. */
export const MAX_TRAILER_BYTES = 8_192;

const FORBIDDEN: readonly KnownFieldName[] = [
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "http2-settings",
  "authorization",
  "cookie",
  "forwarded",
  "x-request-id",
  "x-envoy-external-address",
  "cache-control",
  "content-encoding",
  "content-location",
  "content-range",
  "content-type",
  "max-forwards",
  "range",
  "set-cookie",
  "www-authenticate",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
];
/** Every name that begins so. */
const X_FORWARDED = Buffer.from("x-forwarded-");
const IS_FORBIDDEN = new Uint8Array(256);
for (const name of FORBIDDEN) IS_FORBIDDEN[FIELD[name]] = 1;

export class Trailers extends FieldSection {
  #length = 0;

  begin(): void {
    if (this.bytes.length === 0) this.bytes = Buffer.allocUnsafeSlow(MAX_TRAILER_BYTES);
    this.clearFields();
    this.lineStart = 0;
    this.#length = 0;
  }

  /**
   * Takes a copy of what is here of the trailers.
   *
   * @returns the offset in `from` behind the blank line that ends them, `INCOMPLETE` (all was taken) or `REFUSED`
   */
  read(from: Uint8Array, start: number, to: number): number {
    const before = this.#length;
    const room = Math.min(to - start, MAX_TRAILER_BYTES - before);
    this.bytes.set(from.subarray(start, start + room), before);
    this.#length = before + room;
    const end = this.scanFields(this.#length);
    if (end === INCOMPLETE && room < to - start) return this.refuse(PROBLEM.trailersTooLarge);
    if (end <= 0) return end;
    for (let index = 0; index < this.count; index++) {
      if (!mayBeTrailer(this, index)) return this.refuse(PROBLEM.forbiddenTrailer);
    }
    return start + end - before;
  }
}

/** Whether a field may stand behind a body: it is read so here, and must be written so by whoever writes trailers. */
export function mayBeTrailer({ bytes, ids, ranges }: FieldRanges, index: number): boolean {
  if (IS_FORBIDDEN[ids[index] ?? 0] === 1) return false;
  const start = ranges[4 * index] ?? 0;
  const end = Math.min(start + X_FORWARDED.length, ranges[4 * index + 1] ?? 0);
  return !isWord(bytes, { start, end }, X_FORWARDED);
}
