/** The latest changes, for watches that start in the past and for lists of an earlier state. */
import type { CommittedChange } from "./object-change.ts";

export class ChangeWindow {
  readonly #size: number;
  #changes: CommittedChange[] = [];
  /** Version of the newest change that has been forgotten. */
  #forgotten: number;

  /** @param size changes that are kept at least */
  constructor(size: number, start: number) {
    this.#size = size;
    this.#forgotten = start;
  }

  add(change: CommittedChange): void {
    this.#changes.push(change);
    if (this.#changes.length < 2 * this.#size) return;
    this.#changes = this.#changes.slice(-this.#size);
    this.#forgotten = (this.#changes[0]?.resourceVersion ?? 1) - 1;
  }

  /** @returns what came after a version, oldest first; undefined when some of it has been forgotten */
  since(resourceVersion: number): readonly CommittedChange[] | undefined {
    if (resourceVersion < this.#forgotten) return undefined;
    const first = this.#changes.findIndex((change) => change.resourceVersion > resourceVersion);
    return first === -1 ? [] : this.#changes.slice(first);
  }
}
