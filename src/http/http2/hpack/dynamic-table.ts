/** The decoder's dynamic table (RFC 7541 section 2.3.2): its text in one small buffer, made when first needed. */
import type { ArenaField, FieldArena } from "../field-arena.ts";

/** What an entry counts beside its text (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD = 32;

export class DynamicTable {
  readonly #limit: number;
  #maxSize: number;
  #size = 0;
  #count = 0;
  /** Slot of the newest entry; entries stand in a ring. */
  #newest = -1;
  #text: Buffer | undefined;
  #textEnd = 0;
  /** Four a slot: start of the name, end of the name, end of the value, id. */
  #slots: Uint16Array = new Uint16Array(0);

  /** @param limit what we have allowed the peer, in octets */
  constructor(limit: number) {
    this.#limit = limit;
    this.#maxSize = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** Octets of memory. */
  get held(): number {
    return (this.#text?.length ?? 0) + this.#slots.byteLength;
  }

  /** @returns whether we have allowed that much */
  resize(maxSize: number): boolean {
    if (maxSize > this.#limit) return false;
    this.#maxSize = maxSize;
    this.#evictTo(maxSize);
    return true;
  }

  /** An entry larger than the table empties it (RFC 7541 section 4.4). */
  insert(bytes: Buffer, field: ArenaField): void {
    const nameLength = field.nameEnd - field.nameStart;
    const length = nameLength + field.valueEnd - field.valueStart;
    const size = length + ENTRY_OVERHEAD;
    this.#evictTo(Math.max(0, this.#maxSize - size));
    if (size > this.#maxSize) return;
    const start = this.#place(length);
    const text = this.#text ?? bytes;
    bytes.copy(text, start, field.nameStart, field.nameEnd);
    bytes.copy(text, start + nameLength, field.valueStart, field.valueEnd);
    this.#newest = (this.#newest + 1) % this.#capacity;
    const slot = 4 * this.#newest;
    this.#slots[slot] = start;
    this.#slots[slot + 1] = start + nameLength;
    this.#slots[slot + 2] = start + length;
    this.#slots[slot + 3] = field.id;
    this.#count++;
    this.#size += size;
  }

  /** Copies the name of an entry, the newest being 0, to the end of the arena. */
  copyName(index: number, arena: FieldArena, field: ArenaField): void {
    const slot = this.#slotOf(index);
    field.id = this.#slots[slot + 3] ?? 0;
    field.nameStart = arena.end;
    arena.append(this.#text ?? arena.bytes, this.#slots[slot] ?? 0, this.#slots[slot + 1] ?? 0);
    field.nameEnd = arena.end;
  }

  copyValue(index: number, arena: FieldArena, field: ArenaField): void {
    const slot = this.#slotOf(index);
    field.valueStart = arena.end;
    arena.append(this.#text ?? arena.bytes, this.#slots[slot + 1] ?? 0, this.#slots[slot + 2] ?? 0);
    field.valueEnd = arena.end;
  }

  /** What the entry counts in a list of fields. */
  sizeOf(index: number): number {
    const slot = this.#slotOf(index);
    return (this.#slots[slot + 2] ?? 0) - (this.#slots[slot] ?? 0) + ENTRY_OVERHEAD;
  }

  get #capacity(): number {
    return this.#slots.length >> 2;
  }

  #slotOf(index: number): number {
    return 4 * ((this.#newest - index + this.#capacity) % this.#capacity);
  }

  #evictTo(size: number): void {
    while (this.#size > size) {
      this.#size -= this.sizeOf(this.#count - 1);
      this.#count--;
    }
  }

  /** Room for text; twice the table's size, so that what is alive is moved only once in a table's length. */
  #place(length: number): number {
    this.#text ??= this.#allocate();
    if (this.#textEnd + length > this.#text.length) this.#compact(this.#text);
    const start = this.#textEnd;
    this.#textEnd += length;
    return start;
  }

  #allocate(): Buffer {
    this.#slots = new Uint16Array(4 * Math.ceil(this.#limit / ENTRY_OVERHEAD));
    return Buffer.allocUnsafeSlow(2 * this.#limit);
  }

  #compact(text: Buffer): void {
    const oldest =
      this.#count === 0 ? this.#textEnd : (this.#slots[this.#slotOf(this.#count - 1)] ?? 0);
    text.copyWithin(0, oldest, this.#textEnd);
    this.#textEnd -= oldest;
    for (let index = 0; index < this.#count; index++) {
      const slot = this.#slotOf(index);
      for (let part = slot; part < slot + 3; part++)
        this.#slots[part] = (this.#slots[part] ?? 0) - oldest;
    }
  }
}
