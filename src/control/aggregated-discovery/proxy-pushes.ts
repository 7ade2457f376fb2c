/**
 * Whom a change concerns is told of it, a few proxies in one turn of the event loop: answers that come meanwhile are heard,
 * and what changes meanwhile is told together with it.
 */
import { performance } from "node:perf_hooks";

/** How long other work may have to wait. */
const SLICE_MS = 8;

export interface PushedStream {
  readonly isBehind: boolean;
  push(): void;
}

export class ProxyPushes {
  readonly #streams: () => Iterable<PushedStream>;
  #waiting: Iterator<PushedStream> | undefined;
  #isStale = false;

  constructor(streams: () => Iterable<PushedStream>) {
    this.#streams = streams;
  }

  /** Something may be new for any of them. */
  schedule(): void {
    if (this.#waiting !== undefined) {
      this.#isStale = true;
      return;
    }
    this.#waiting = [...this.#streams()][Symbol.iterator]();
    this.#run();
  }

  #run(): void {
    const end = performance.now() + SLICE_MS;
    for (let next = this.#next(); !next.done; next = this.#next()) {
      if (next.value.isBehind) next.value.push();
      if (performance.now() >= end) {
        setImmediate(() => this.#run());
        return;
      }
    }
    this.#finish();
  }

  #next(): IteratorResult<PushedStream> {
    return this.#waiting?.next() ?? { value: undefined, done: true };
  }

  #finish(): void {
    this.#waiting = undefined;
    if (!this.#isStale) return;
    this.#isStale = false;
    this.schedule();
  }
}
