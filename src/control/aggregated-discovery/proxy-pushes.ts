/**
 * Whom a change concerns is told of it, a few proxies in one turn of the event loop: answers that come meanwhile are heard.
 * What is urgent goes to all of them before anything else does, also ahead of what an earlier change has left to do.
 */
import { performance } from "node:perf_hooks";

/** How long other work may have to wait. Each answer that is heard meanwhile holds up those who are not told yet what is urgent. */
const SLICE_MS = { urgent: 48, rest: 8 };
/** Among so many turns one is of what an earlier change has left, so that change upon change holds nothing up for ever. */
const TURNS = 4;

export interface PushedStream {
  readonly isBehind: boolean;
  /** What is most urgent. */
  pushFirst(): void;
  /** All that is left. */
  push(): void;
}

export class ProxyPushes {
  readonly #streams: () => Iterable<PushedStream>;
  /** The last is the next. */
  #urgent: PushedStream[] = [];
  /** In the order in which they came to be behind. */
  readonly #behind: Set<PushedStream> = new Set();
  /** How many of those are behind since an earlier change. */
  #overdue = 0;
  #turn = 0;
  #isRunning = false;

  constructor(streams: () => Iterable<PushedStream>) {
    this.#streams = streams;
  }

  /** Something may be new for any of them. */
  schedule(): void {
    const behind = [...this.#streams()].filter(({ isBehind }) => isBehind);
    this.#overdue = this.#behind.size;
    this.#turn = 0;
    for (const stream of behind) this.#behind.add(stream);
    this.#urgent = behind.reverse();
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run();
  }

  #run(): void {
    const start = performance.now();
    for (;;) {
      const wasUrgent = this.#urgent.length > 0;
      const next = this.#next();
      if (next === undefined) break;
      next();
      const isUrgent = this.#urgent.length > 0;
      const isTold = wasUrgent && !isUrgent; // and leaves when the turn is over
      const isInTime = performance.now() - start < SLICE_MS[isUrgent ? "urgent" : "rest"];
      if (isInTime && !isTold) continue;
      setImmediate(() => this.#run());
      return;
    }
    this.#isRunning = false;
  }

  #next(): (() => void) | undefined {
    this.#turn++;
    const isOverduesTurn = this.#overdue > 0 && this.#turn % TURNS === 0;
    const urgent = isOverduesTurn ? undefined : this.#urgent.pop();
    if (urgent !== undefined) return () => urgent.pushFirst();
    const [stream] = this.#behind;
    if (stream === undefined) return undefined;
    this.#behind.delete(stream);
    this.#overdue--;
    return () => stream.push();
  }
}
