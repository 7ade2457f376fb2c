/** Pieces of work that must not overlap, one after the other in the order they were asked for. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns what the work returns or throws; whatever became of it, the next comes all the same */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
