/**
 * Whom a change concerns is told of it, Envoys, sidecars and agents alike, a few of them in one turn of the event loop: answers that come meanwhile are heard.
 * What is urgent goes to all of them before anything else does, also ahead of what an earlier change has left to do.
 */
import { performance } from "node:perf_hooks";
import type { Watched } from "../../runtime/watched.ts";

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
  readonly #sources: Set<() => Iterable<PushedStream>> = new Set();
  /** The last is the next. */
  #urgent: PushedStream[] = [];
  /** In the order in which they came to be behind. */
  readonly #behind: Set<PushedStream> = new Set();
  /** How many of those are behind since an earlier change. */
  #overdue = 0;
  #turn = 0;
  #isRunning = false;

  /** @param views with whose every change something may be new for any stream */
  constructor(views: Watched<unknown>) {
    views.onChange(() => this.#schedule());
  }

  /** Streams of one kind, from now on; of several, those that came first are told first. @returns what takes them away again */
  add(streams: () => Iterable<PushedStream>): () => void {
    this.#sources.add(streams);
    return () => this.#sources.delete(streams);
  }

  #schedule(): void {
    const streams = [...this.#sources].flatMap((source) => [...source()]);
    const behind = streams.filter(({ isBehind }) => isBehind);
    this.#overdue = this.#behind.size;
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
      this.#tell(next);
      const isUrgent = this.#urgent.length > 0;
      const isTold = wasUrgent && !isUrgent; // and leaves when the turn is over
      const isInTime = performance.now() - start < SLICE_MS[isUrgent ? "urgent" : "rest"];
      if (isInTime && !isTold) continue;
      setImmediate(() => this.#run());
      return;
    }
    this.#isRunning = false;
  }

  /** A defect of one stream ends nothing for the others. */
  #tell(next: () => void): void {
    try {
      next();
    } catch (error) {
      setImmediate(() => this.#run());
      throw error;
    }
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
