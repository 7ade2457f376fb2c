/**
 * A head or trailers as they go out: HPACK without the dynamic table, so that a block depends on nothing that was sent
 * before, and writing it is little more than copying. One is enough for a process: fill it, send it, fill it anew.
 */
import { FIELD_VALUE, HTAB, LOWER_CASE, SPACE } from "../../byte-classes.ts";
import { FIELD, FIELD_NAMES } from "../../field-names.ts";
import type { FieldRanges } from "../../field-ranges.ts";
import { copyRange } from "../../http1/write-bytes.ts";
import { ENTRY_OVERHEAD } from "./dynamic-table.ts";
import { STATIC_INDEX_OF } from "./static-table.ts";

export type Scheme = "http" | "https";

/** Fields as they come from a codec; one that came as never indexed has a 1 here. */
export interface OutgoingFields extends FieldRanges {
  readonly sensitive?: Uint8Array;
}

const IDS: ReadonlyMap<string, number> = new Map(FIELD_NAMES.map((name, id) => [name, id]));
/** A token in lower case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const INITIAL = 4_096;
/** Of each number that is written. */
const LONGEST_INTEGER = 6;
const NEVER_INDEXED = 0x10;
const INDEXED_METHODS: Readonly<Record<string, number>> = { GET: 0x82, POST: 0x83 };
const INDEXED_STATUS: Readonly<Record<number, number>> = {
  200: 0x88,
  204: 0x89,
  206: 0x8a,
  304: 0x8b,
  400: 0x8c,
  404: 0x8d,
  500: 0x8e,
};
/** What a field is to this writer, by id. */
const ORDINARY = 0;
const LEFT_OUT = 1;
const SECRET = 2;
const TE = 3;
const TREATMENT: Uint8Array = new Uint8Array(256);
for (const name of [
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "host",
  ":authority",
  ":method",
  ":path",
  ":scheme",
  ":status",
  ":protocol",
] as const) {
  TREATMENT[FIELD[name]] = LEFT_OUT;
}
for (const name of ["authorization", "proxy-authorization", "cookie", "set-cookie"] as const) {
  TREATMENT[FIELD[name]] = SECRET;
}
TREATMENT[FIELD.te] = TE;

export class FieldBlock {
  /** Grows with what is written; read it only before the next field. */
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL);
  length = 0;
  /** As the receiver counts it (RFC 9113 section 6.5.2). */
  listSize = 0;
  /** Of a request; else "". */
  method = "";
  /** Of a response; else 0. */
  status = 0;

  /** Begins a request. Its path and authority must follow, and then its fields; of CONNECT only the authority. */
  request(method: string, scheme: Scheme): void {
    this.trailers();
    this.method = method;
    const indexed = INDEXED_METHODS[method];
    if (indexed === undefined) this.#pseudo(FIELD[":method"], method);
    else this.#index(indexed, method.length + ":method".length);
    if (method !== "CONNECT")
      this.#index(scheme === "http" ? 0x86 : 0x87, scheme.length + ":scheme".length);
  }

  authority(text: string): void {
    this.#pseudo(FIELD[":authority"], text);
  }

  /** With its query. */
  path(text: string): void {
    if (text === "/") this.#index(0x84, ":path/".length);
    else this.#pseudo(FIELD[":path"], text);
  }

  /** Begins a response. Its fields may follow. @param status 100 to 599, but for 101 */
  response(status: number): void {
    this.trailers();
    this.status = status;
    const indexed = INDEXED_STATUS[status];
    if (indexed === undefined) this.#pseudo(FIELD[":status"], String(status));
    else this.#index(indexed, ":status200".length);
  }

  /** Begins trailers: nothing but fields. */
  trailers(): void {
    this.length = 0;
    this.listSize = 0;
    this.method = "";
    this.status = 0;
  }

  /**
   * Copies a field that a codec has read, its name in lower case. Left out is what has no place in HTTP/2: fields of the
   * connection, `te` other than `trailers`, and `host`, for which `authority` stands (RFC 9113 section 8.2.2).
   */
  copy(fields: OutgoingFields, index: number): void {
    const { bytes, ranges } = fields;
    const at = 4 * index;
    const valueStart = ranges[at + 2] ?? 0;
    const valueEnd = ranges[at + 3] ?? 0;
    const id = fields.ids[index] ?? 0;
    const treatment = TREATMENT[id] ?? ORDINARY;
    if (treatment === LEFT_OUT) return;
    if (treatment === TE && bytes.toString("latin1", valueStart, valueEnd) !== "trailers") return;
    const isSecret = treatment === SECRET || fields.sensitive?.[index] === 1;
    const nameStart = ranges[at] ?? 0;
    const nameEnd = ranges[at + 1] ?? 0;
    this.#reserve(nameEnd - nameStart + valueEnd - valueStart);
    const indexed = STATIC_INDEX_OF[id] ?? 0;
    this.#integer(0x0f, isSecret ? NEVER_INDEXED : 0, indexed);
    if (indexed === 0) this.#name(bytes, nameStart, nameEnd);
    else this.listSize += nameEnd - nameStart;
    this.#text(bytes, valueStart, valueEnd);
  }

  /**
   * @param name in lower case
   * @throws TypeError when a receiver would call the field malformed
   */
  add(name: string, value: string): void {
    const id = IDS.get(name) ?? FIELD.other;
    const treatment = TREATMENT[id] ?? ORDINARY;
    const isOtherTe = treatment === TE && value !== "trailers";
    if (treatment === LEFT_OUT || isOtherTe || (id === FIELD.other && !NAME.test(name))) {
      throw new TypeError(`not a field of HTTP/2: ${JSON.stringify(name)}`);
    }
    this.#reserve(name.length + value.length);
    const indexed = STATIC_INDEX_OF[id] ?? 0;
    this.#integer(0x0f, treatment === SECRET ? NEVER_INDEXED : 0, indexed);
    if (indexed === 0) this.#string(name);
    this.#string(value);
    this.listSize += name.length + value.length + ENTRY_OVERHEAD;
  }

  #index(octet: number, textLength: number): void {
    this.#reserve(0);
    this.bytes[this.length++] = octet;
    this.listSize += textLength + ENTRY_OVERHEAD;
  }

  #pseudo(id: number, text: string): void {
    this.#reserve(text.length);
    this.#integer(0x0f, 0, STATIC_INDEX_OF[id] ?? 0);
    this.#string(text);
    this.listSize += (FIELD_NAMES[id] ?? "").length + text.length + ENTRY_OVERHEAD;
  }

  /** What does not fit into one octet a character would become another character. */
  #string(text: string): void {
    const { length } = text;
    this.#integer(0x7f, 0, length);
    const { bytes } = this;
    let at = this.length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0xff || FIELD_VALUE[code] !== 1)
        throw new TypeError(`not a value of HTTP/2: ${JSON.stringify(text)}`);
      bytes[at++] = code;
    }
    if (length > 0 && (isSpace(text.charCodeAt(0)) || isSpace(text.charCodeAt(length - 1)))) {
      throw new TypeError(
        `a value of HTTP/2 neither begins nor ends with a space: ${JSON.stringify(text)}`,
      );
    }
    this.length = at;
  }

  #name(bytes: Buffer, start: number, end: number): void {
    this.#integer(0x7f, 0, end - start);
    const { bytes: target } = this;
    let at = this.length;
    for (let index = start; index < end; index++) target[at++] = LOWER_CASE[bytes[index] ?? 0] ?? 0;
    this.length = at;
    this.listSize += end - start;
  }

  #text(bytes: Buffer, start: number, end: number): void {
    this.#integer(0x7f, 0, end - start);
    this.length = copyRange({ bytes, start, end }, this.bytes, this.length);
    this.listSize += end - start + ENTRY_OVERHEAD;
  }

  /** RFC 7541 section 5.1. @param mask the bits of the prefix; @param flags what stands above them */
  #integer(mask: number, flags: number, value: number): void {
    const { bytes } = this;
    if (value < mask) {
      bytes[this.length++] = flags | value;
      return;
    }
    bytes[this.length++] = flags | mask;
    let rest = value - mask;
    for (; rest >= 0x80; rest >>>= 7) bytes[this.length++] = (rest & 0x7f) | 0x80;
    bytes[this.length++] = rest;
  }

  /** Room for a field whose texts are together so long. */
  #reserve(textLength: number): void {
    const needed = this.length + textLength + 3 * LONGEST_INTEGER;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

function isSpace(octet: number): boolean {
  return octet === SPACE || octet === HTAB;
}
