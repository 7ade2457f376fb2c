/**
 * A request that nobody serves yet, because something has to be found out first. What follows its head is kept until then; as none
 * of it is given back as consumed, a client can send no more than its window, or a socket's, takes.
 */
import { HeldFields } from "./held-fields.ts";
import { HeldOctets } from "./held-octets.ts";
import { HOLDING_LIMIT, type Holder } from "./holding-limit.ts";
import type { Abort, Following, ReceivedFields } from "./received-message.ts";
import type { RequestSink } from "./streams.ts";

export interface HeldRequestOptions {
  /** Hears when the exchange is over before anybody served it. */
  readonly left: () => void;
  /** Ends the exchange: all that are under way hold too much. */
  readonly giveUp: () => void;
}

export class HeldRequest implements RequestSink, Holder {
  readonly #options: HeldRequestOptions;
  readonly #body: HeldOctets;
  #isComplete = false;
  #trailers: HeldFields | undefined;
  #abort: Abort | undefined;
  #sink: RequestSink | undefined;
  #isFinished = false;

  constructor(options: HeldRequestOptions) {
    this.#options = options;
    this.#body = new HeldOctets(this, HOLDING_LIMIT);
  }

  get isServed(): boolean {
    return this.#sink !== undefined;
  }

  /** Whether it is of no use to serve it: the client has gone. */
  get isLeft(): boolean {
    return this.#isFinished || (this.#abort !== undefined && this.#abort.cause !== "malformed");
  }

  /** What to answer a request with whose body turned out to be none; undefined: it is as it should be, so far. */
  get malformedStatus(): number | undefined {
    return this.#abort?.cause === "malformed" ? (this.#abort.status ?? 400) : undefined;
  }

  /** Gives it to whoever serves it from now on, with all that has come; not if it `isLeft`. Once. */
  serve(begin: () => RequestSink): void {
    if (this.isLeft || this.isServed) return;
    const sink = begin();
    this.#sink = sink;
    this.#replay(sink);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (this.#sink !== undefined) {
      this.#sink.data(bytes, from, to, following);
      return;
    }
    if (following === "last") this.#isComplete = true;
    if (from < to && !this.#isFinished) this.#body.append(bytes, from, to);
  }

  trailers(fields: ReceivedFields): void {
    if (this.#sink !== undefined) {
      this.#sink.trailers(fields);
      return;
    }
    this.#trailers = HeldFields.borrow();
    this.#trailers.load(fields);
  }

  aborted(why: Abort): void {
    if (this.#sink !== undefined) this.#sink.aborted(why);
    else this.#abort = why;
  }

  writable(): void {
    this.#sink?.writable();
  }

  judgeAgain(): void {
    this.#sink?.judgeAgain?.();
  }

  finished(): void {
    this.#isFinished = true;
    if (this.#sink !== undefined) {
      this.#sink.finished();
      return;
    }
    this.#body.clear();
    this.#releaseTrailers();
    this.#options.left();
  }

  giveUp(): void {
    this.#body.clear();
    this.#options.giveUp();
  }

  #replay(sink: RequestSink): void {
    const body = this.#body;
    if (body.isEmpty && this.#isComplete) sink.data(NOTHING, 0, 0, "last");
    for (let piece = body.first; piece !== undefined; piece = body.first) {
      const { bytes, from, to } = piece;
      const isLast = this.#isComplete && body.isOnePiece;
      sink.data(bytes, from, to, isLast ? "last" : "more");
      body.drop(to - from);
    }
    if (this.#trailers !== undefined) sink.trailers(this.#trailers);
    this.#releaseTrailers();
  }

  #releaseTrailers(): void {
    this.#trailers?.release();
    this.#trailers = undefined;
  }
}

const NOTHING = Buffer.alloc(0);
