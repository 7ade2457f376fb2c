/**
 * A request that nobody serves yet, because something has to be found out first. What follows its head is kept until then; as none
 * of it is given back as consumed, a client can send no more than its window, or a socket's, takes.
 */
import { HeldFields } from "./held-fields.ts";
import type { Abort, Following, ReceivedFields } from "./received-message.ts";
import type { RequestSink } from "./streams.ts";

interface Piece {
  readonly bytes: Buffer;
  readonly following: Following;
}

export class HeldRequest implements RequestSink {
  /** Hears when the exchange is over before anybody served it. */
  readonly #left: () => void;
  readonly #pieces: Piece[] = [];
  #trailers: HeldFields | undefined;
  #abort: Abort | undefined;
  #sink: RequestSink | undefined;
  #isFinished = false;

  constructor(left: () => void) {
    this.#left = left;
  }

  /** Whether it is of no use to serve it: the client has gone. */
  get isLeft(): boolean {
    return this.#isFinished || (this.#abort !== undefined && this.#abort.cause !== "malformed");
  }

  /** Gives it to whoever serves it from now on, with all that has come; not if it `isLeft`. To be called once. */
  serve(begin: () => RequestSink): void {
    if (this.isLeft) return;
    const sink = begin();
    this.#sink = sink;
    for (const { bytes, following } of this.#pieces.splice(0))
      sink.data(bytes, 0, bytes.length, following);
    if (this.#trailers !== undefined) sink.trailers(this.#trailers);
    this.#releaseTrailers();
    if (this.#abort !== undefined) sink.aborted(this.#abort);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (this.#sink !== undefined) this.#sink.data(bytes, from, to, following);
    else this.#pieces.push({ bytes: Buffer.from(bytes.subarray(from, to)), following });
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

  finished(): void {
    this.#isFinished = true;
    if (this.#sink !== undefined) {
      this.#sink.finished();
      return;
    }
    this.#pieces.length = 0;
    this.#releaseTrailers();
    this.#left();
  }

  #releaseTrailers(): void {
    this.#trailers?.release();
    this.#trailers = undefined;
  }
}
