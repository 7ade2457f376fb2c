/** The streams of one connection: those that are open, and what must be remembered of those that are not. */
import { MAX_STREAMS } from "./limits.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamsById } from "./streams-by-id.ts";

export type Absence = "idle" | "reset by us" | "skipped" | "closed";

export class StreamTable<Context> {
  readonly #open: StreamsById<Http2Stream<Context>> = new StreamsById();
  /** Their frames may still be under way: those are no fault of the peer. */
  readonly #resetByUs: Set<number> = new Set();
  /** The latest ids that the peer passed over: they were never open. */
  #skippedFrom = 0;
  #skippedTo = 0;
  /** Highest id that the peer has opened, and that we have. */
  lastOfPeer = 0;
  lastOfOurs: number;
  /** Of ids that we open: 1 for clients, 0 for servers. */
  readonly #ourParity: 0 | 1;

  constructor(role: "client" | "server") {
    this.#ourParity = role === "client" ? 1 : 0;
    this.lastOfOurs = role === "client" ? -1 : 0;
  }

  get size(): number {
    return this.#open.size;
  }

  get(id: number): Http2Stream<Context> | undefined {
    return this.#open.get(id);
  }

  values(): IterableIterator<Http2Stream<Context>> {
    return this.#open.values();
  }

  isOurs(id: number): boolean {
    return (id & 1) === this.#ourParity;
  }

  add(stream: Http2Stream<Context>): void {
    this.#open.set(stream.id, stream);
  }

  /** Takes note of an id that the peer uses for the first time. */
  noteOpened(id: number): void {
    if (id > this.lastOfPeer + 2) {
      this.#skippedFrom = this.lastOfPeer + 1;
      this.#skippedTo = id;
    }
    this.lastOfPeer = id;
  }

  close(stream: Http2Stream<Context>): void {
    stream.isClosed = true;
    stream.receiving = "over";
    stream.sending = "over";
    this.#open.delete(stream.id);
  }

  noteReset(id: number): void {
    this.#resetByUs.add(id);
    if (this.#resetByUs.size <= MAX_STREAMS) return;
    for (const oldest of this.#resetByUs) {
      this.#resetByUs.delete(oldest);
      return;
    }
  }

  /** Why there is no open stream of this id. */
  absence(id: number): Absence {
    if (id > (this.isOurs(id) ? this.lastOfOurs : this.lastOfPeer)) return "idle";
    if (this.#resetByUs.has(id)) return "reset by us";
    return id > this.#skippedFrom && id < this.#skippedTo ? "skipped" : "closed";
  }
}
