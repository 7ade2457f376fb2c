/** The latest changes, for watches that start in the past and for lists of an earlier state. */
import type { CommittedChange } from "./object-change.ts";

export interface WindowSize {
  /** Changes that are kept, unless they are too large. */
  readonly changes: number;
  /** Of the objects of all changes that are kept, as JSON. */
  readonly bytes: number;
}

interface KeptChange {
  readonly change: CommittedChange;
  readonly bytes: number;
}

export class ChangeWindow {
  readonly #size: WindowSize;
  /** What stands before `first` has been forgotten, and is cut off now and then. */
  #kept: KeptChange[] = [];
  #first = 0;
  #bytes = 0;
  /** Version of the newest change that has been forgotten. */
  #forgotten: number;

  constructor(size: WindowSize, start: number) {
    this.#size = size;
    this.#forgotten = start;
  }

  /** @param bytes of its object, as JSON */
  add(change: CommittedChange, bytes: number): void {
    this.#kept.push({ change, bytes });
    this.#bytes += bytes;
    while (this.#count > this.#size.changes || (this.#bytes > this.#size.bytes && this.#count > 1))
      this.#forgetOldest();
    if (this.#first <= this.#size.changes) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  /** @returns what came after a version, oldest first; undefined when some of it has been forgotten */
  since(resourceVersion: number): readonly CommittedChange[] | undefined {
    if (resourceVersion < this.#forgotten) return undefined;
    const changes = this.#kept.slice(this.#first).map(({ change }) => change);
    const first = changes.findIndex((change) => change.resourceVersion > resourceVersion);
    return first === -1 ? [] : changes.slice(first);
  }

  get #count(): number {
    return this.#kept.length - this.#first;
  }

  #forgetOldest(): void {
    const oldest = this.#kept[this.#first++];
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    this.#forgotten = oldest.change.resourceVersion;
  }
}
