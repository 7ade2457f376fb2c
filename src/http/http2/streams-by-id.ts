/**
 * Streams by their ids, of which ever new ones come and go. A `Map` begins a new table now and then, and V8's old one
 * refers to the new: one that has grown old keeps all later ones, and the requests they held, until everything is
 * collected.
 */

/** Slots; a power of two, and never more than half of them in use. */
const FIRST_SLOTS = 16;

export class StreamsById<T> {
  #ids: number[] = new Array<number>(FIRST_SLOTS).fill(0);
  #streams: (T | undefined)[] = new Array<T | undefined>(FIRST_SLOTS).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    return this.#streams[this.#slotOf(id)];
  }

  /** In place of the one that has this id, if there is one. */
  set(id: number, stream: T): void {
    if (2 * (this.#size + 1) > this.#ids.length) this.#grow();
    const slot = this.#slotOf(id);
    if (this.#streams[slot] === undefined) this.#size++;
    this.#ids[slot] = id;
    this.#streams[slot] = stream;
  }

  delete(id: number): void {
    let free = this.#slotOf(id);
    if (this.#streams[free] === undefined) return;
    const mask = this.#ids.length - 1;
    // Whoever was led past this slot moves up: a search ends at the first free one.
    for (
      let slot = (free + 1) & mask;
      this.#streams[slot] !== undefined;
      slot = (slot + 1) & mask
    ) {
      const led = (slot - this.#firstSlot(this.#ids[slot] ?? 0)) & mask;
      if (led < ((slot - free) & mask)) continue;
      this.#ids[free] = this.#ids[slot] ?? 0;
      this.#streams[free] = this.#streams[slot];
      free = slot;
    }
    this.#streams[free] = undefined;
    this.#size--;
  }

  /** In the order of their ids; without those that are deleted meanwhile. */
  *values(): IterableIterator<T> {
    const ids = this.#ids.filter((_, slot) => this.#streams[slot] !== undefined);
    for (const id of ids.sort((one, other) => one - other)) {
      const stream = this.get(id);
      if (stream !== undefined) yield stream;
    }
  }

  /** Where it lies, or would. */
  #slotOf(id: number): number {
    const mask = this.#ids.length - 1;
    let slot = this.#firstSlot(id);
    while (this.#streams[slot] !== undefined && this.#ids[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  /** Ids of one side are all odd, or all even. */
  #firstSlot(id: number): number {
    return (id >>> 1) & (this.#ids.length - 1);
  }

  #grow(): void {
    const [ids, streams] = [this.#ids, this.#streams];
    this.#ids = new Array<number>(2 * ids.length).fill(0);
    this.#streams = new Array<T | undefined>(2 * ids.length).fill(undefined);
    for (const [slot, stream] of streams.entries()) {
      if (stream === undefined) continue;
      const to = this.#slotOf(ids[slot] ?? 0);
      this.#ids[to] = ids[slot] ?? 0;
      this.#streams[to] = stream;
    }
  }
}
