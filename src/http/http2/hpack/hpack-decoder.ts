/** HPACK's decoder (RFC 7541 section 6): one a connection, for its dynamic table is the connection's. */
import { FIELD, fieldIdOf } from "../../field-names.ts";
import type { ArenaField, FieldArena } from "../field-arena.ts";
import { DYNAMIC_TABLE_SIZE } from "../limits.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { decodeHuffman } from "./huffman.ts";
import {
  STATIC_ID,
  STATIC_LENGTH,
  STATIC_NAME_END,
  STATIC_NAME_START,
  STATIC_VALUE_END,
} from "./static-table.ts";

/** What takes the fields of a block, one after the other. */
export interface FieldSink {
  readonly arena: FieldArena;
  /** Whether the list has more than we take: then fields are only decoded for the table's sake. */
  readonly isTooLarge: boolean;
  /** @param field valid until the next one */
  accept(field: ArenaField): void;
  /** A field that counts so much and cannot be taken any more, for the list is too large. */
  skip(size: number): void;
}

/** Two may stand at the beginning of a block: the least, and the last (RFC 7541 section 4.2). */
const MAX_UPDATES = 2;
/** Of integers: more octets than this only say how large the number is. */
const MAX_SHIFT = 21;
const BAD_INTEGER = "a number that is cut off or too large";

export class HpackDecoder {
  readonly #table: DynamicTable = new DynamicTable(DYNAMIC_TABLE_SIZE);
  readonly #field: ArenaField = {
    id: FIELD.other,
    nameStart: 0,
    nameEnd: 0,
    valueStart: 0,
    valueEnd: 0,
    trusted: "nothing",
    sensitive: false,
  };
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  /** Of the string that was read last. */
  #textStart = 0;
  #textEnd = 0;

  /** Octets of memory that the dynamic table takes. */
  get held(): number {
    return this.#table.held;
  }

  /**
   * Decodes the block in the sink's arena. A list that is too large is decoded to its end all the same: later blocks
   * refer to its fields.
   *
   * @returns "" or, in words, why this is a connection error of type COMPRESSION_ERROR
   */
  decode(sink: FieldSink): string {
    const { arena } = sink;
    this.#bytes = arena.bytes;
    this.#at = arena.blockStart;
    this.#end = arena.blockEnd;
    let problem = this.#sizeUpdates();
    while (problem === "" && this.#at < this.#end) {
      if (sink.isTooLarge) arena.rewind();
      const octet = this.#bytes[this.#at] ?? 0;
      if (octet >= 0x80) problem = this.#indexed(sink);
      else if (octet >= 0x40) problem = this.#literal(sink, 0x3f);
      else if (octet >= 0x20) problem = "a size update after a field";
      else problem = this.#literal(sink, 0x0f);
    }
    return problem;
  }

  #sizeUpdates(): string {
    for (let seen = 0; this.#at < this.#end; seen++) {
      const octet = this.#bytes[this.#at] ?? 0;
      if (octet < 0x20 || octet >= 0x40) break;
      if (seen === MAX_UPDATES) return "more than two size updates";
      const size = this.#integer(0x1f);
      if (size < 0) return BAD_INTEGER;
      if (!this.#table.resize(size)) return "a size update over the limit";
    }
    return "";
  }

  #indexed(sink: FieldSink): string {
    const index = this.#integer(0x7f);
    if (index < 0) return BAD_INTEGER;
    if (index === 0) return "the index 0";
    const field = this.#field;
    field.sensitive = false;
    if (index <= STATIC_LENGTH) {
      this.#staticName(index);
      field.valueStart = field.nameEnd;
      field.valueEnd = STATIC_VALUE_END[index] ?? 0;
      field.trusted = "all";
      sink.accept(field);
      return "";
    }
    const entry = index - STATIC_LENGTH - 1;
    if (entry >= this.#table.count) return "an index beyond the tables";
    if (sink.isTooLarge) {
      sink.skip(this.#table.sizeOf(entry));
      return "";
    }
    this.#table.copyName(entry, sink.arena, field);
    this.#table.copyValue(entry, sink.arena, field);
    field.trusted = "nothing";
    sink.accept(field);
    return "";
  }

  /** With incremental indexing (prefix of six bits), without, or never (both four). */
  #literal(sink: FieldSink, mask: 0x3f | 0x0f): string {
    const field = this.#field;
    field.sensitive = mask === 0x0f && ((this.#bytes[this.#at] ?? 0) & 0x10) !== 0;
    const index = this.#integer(mask);
    if (index < 0) return BAD_INTEGER;
    const problem = index === 0 ? this.#literalName(sink.arena) : this.#indexedName(sink, index);
    if (problem !== "") return problem;
    const fault = this.#string(sink.arena);
    if (fault !== "") return fault;
    field.valueStart = this.#textStart;
    field.valueEnd = this.#textEnd;
    sink.accept(field);
    if (mask === 0x3f) this.#table.insert(this.#bytes, field);
    return "";
  }

  #literalName(arena: FieldArena): string {
    const problem = this.#string(arena);
    if (problem !== "") return problem;
    const field = this.#field;
    field.nameStart = this.#textStart;
    field.nameEnd = this.#textEnd;
    field.id = fieldIdOf(this.#bytes, this.#textStart, this.#textEnd);
    field.trusted = "nothing";
    return "";
  }

  #indexedName({ arena }: FieldSink, index: number): string {
    if (index <= STATIC_LENGTH) {
      this.#staticName(index);
      this.#field.trusted = "name";
      return "";
    }
    const entry = index - STATIC_LENGTH - 1;
    if (entry >= this.#table.count) return "an index beyond the tables";
    this.#table.copyName(entry, arena, this.#field);
    this.#field.trusted = "nothing";
    return "";
  }

  #staticName(index: number): void {
    const field = this.#field;
    field.id = STATIC_ID[index] ?? 0;
    field.nameStart = STATIC_NAME_START[index] ?? 0;
    field.nameEnd = STATIC_NAME_END[index] ?? 0;
  }

  /** Where it is in the block if it came plain, and decoded behind the block if not. */
  #string(arena: FieldArena): string {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    if (length < 0) return BAD_INTEGER;
    const start = this.#at;
    if (length > this.#end - start) return "a string beyond the block";
    this.#at = start + length;
    this.#textStart = start;
    this.#textEnd = this.#at;
    return isHuffman ? this.#huffman(arena, start) : "";
  }

  #huffman(arena: FieldArena, start: number): string {
    const length = decodeHuffman(this.#bytes, start, this.#at, arena);
    if (length < 0) return "a Huffman code that is not ended as it must";
    this.#textStart = arena.end;
    this.#textEnd = arena.end + length;
    arena.end = this.#textEnd;
    return "";
  }

  /**
   * RFC 7541 section 5.1, of at most 28 bits behind the prefix.
   *
   * @param mask the bits of the prefix
   * @returns -1 when it is cut off, or larger
   */
  #integer(mask: number): number {
    if (this.#at >= this.#end) return -1;
    let value = (this.#bytes[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= MAX_SHIFT && this.#at < this.#end; shift += 7) {
      const octet = this.#bytes[this.#at++] ?? 0;
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    return -1;
  }
}
