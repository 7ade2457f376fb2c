/**
 * Whom a change concerns is told of it, a few proxies in one turn of the event loop: answers that come meanwhile are heard,
 * and what changes meanwhile is told together with it.
 */
import { performance } from "node:perf_hooks";

/** How long other work may have to wait. */
const SLICE_MS = 8;

export interface PushedStream {
  readonly isBehind: boolean;
  /** What is most urgent. */
  pushFirst(): void;
  /** All that is left. */
  push(): void;
}

export class ProxyPushes {
  readonly #streams: () => Iterable<PushedStream>;
  #left: (() => void)[] = [];
  #isStale = false;

  constructor(streams: () => Iterable<PushedStream>) {
    this.#streams = streams;
  }

  /** Something may be new for any of them. */
  schedule(): void {
    if (this.#left.length > 0) {
      this.#isStale = true;
      return;
    }
    const behind = [...this.#streams()].filter(({ isBehind }) => isBehind);
    this.#left = [
      ...behind.map((stream) => () => stream.pushFirst()),
      ...behind.map((stream) => () => stream.push()),
    ].reverse();
    this.#run();
  }

  #run(): void {
    const end = performance.now() + SLICE_MS;
    for (let next = this.#left.pop(); next; next = this.#left.pop()) {
      next();
      if (performance.now() >= end && this.#left.length > 0) {
        setImmediate(() => this.#run());
        return;
      }
    }
    if (!this.#isStale) return;
    this.#isStale = false;
    this.schedule();
  }
}
