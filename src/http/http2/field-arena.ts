/**
 * Where one received head lies while it is read: the text of the static table, the block as it came, and behind it
 * whatever had to be decoded or fetched from the dynamic table. So each field is a range of one buffer, and most are
 * never copied.
 */
import { copyRange } from "../http1/write-bytes.ts";
import { STATIC_TEXT } from "./hpack/static-table.ts";
import { MAX_BLOCK, MAX_FIELD_LIST } from "./limits.ts";

/** A field in the arena; one object that is filled again and again. */
export interface ArenaField {
  /** See `fieldId`. */
  id: number;
  nameStart: number;
  nameEnd: number;
  valueStart: number;
  valueEnd: number;
  /** Of the static table, and so known to be well formed. */
  trusted: "nothing" | "name" | "all";
  /** To be written as never indexed, whoever passes it on (RFC 7541 section 6.2.3). */
  sensitive: boolean;
}

/** Beyond what a list may hold: the field that goes over the limit is still decoded. */
const SPARE = 16_384;

export class FieldArena {
  readonly bytes: Buffer;
  readonly blockStart: number = STATIC_TEXT.length;
  blockEnd: number = STATIC_TEXT.length;
  /** Where the next decoded text goes. */
  end: number = STATIC_TEXT.length;

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(STATIC_TEXT.length + MAX_BLOCK + MAX_FIELD_LIST + SPARE);
    STATIC_TEXT.copy(this.bytes);
  }

  /** @param to at most `MAX_BLOCK` after `from` */
  load(source: Buffer, from: number, to: number): void {
    this.blockEnd = this.blockStart + to - from;
    this.end = this.blockStart;
    this.append(source, from, to);
  }

  /** Forgets what was decoded. */
  rewind(): void {
    this.end = this.blockEnd;
  }

  /** What does not fit is left out: see `SPARE`. */
  append(source: Buffer, from: number, to: number): void {
    const at = this.end;
    const end = Math.min(to, from + Math.max(0, this.bytes.length - at));
    copyRange({ bytes: source, start: from, end }, this.bytes, at);
    this.end = at + to - from;
  }
}
