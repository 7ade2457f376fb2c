/**
 * A request that nobody serves yet, because something has to be found out first. What follows its head is kept until then; as none
 * of it is given back as consumed, but what is wanted for finding out, a client can send no more than its window, or a socket's, takes.
 */
import type { BodyBeginning, HeldBeginning, RequestOnHold } from "../exchange.ts";
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
  /** "last": it has no body. */
  readonly following: Following;
  /** The body is wanted now, before anybody serves the request. */
  readonly inviteBody: () => void;
  /** Of the body, though nobody has it yet. */
  readonly consumed: (octets: number) => void;
}

export class HeldRequest implements RequestSink, Holder, RequestOnHold {
  readonly #options: HeldRequestOptions;
  readonly #body: HeldOctets;
  #isComplete = false;
  #trailers: HeldFields | undefined;
  #abort: Abort | undefined;
  #sink: RequestSink | undefined;
  #isFinished = false;
  #isGivenUp = false;
  /** Of the body, as they came. */
  #octets = 0;
  /** Of those, how many were told to be consumed. */
  #prepaid = 0;
  #wanted = 0;
  /** Octets that whoever finds out something has for it. */
  #besides = 0;
  #tellBeginning: ((beginning: HeldBeginning) => void) | undefined;
  #left: (() => void) | undefined;

  constructor(options: HeldRequestOptions) {
    this.#options = options;
    this.#body = new HeldOctets(this, HOLDING_LIMIT, "own");
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

  /** Octets of the body that are consumed already: whoever serves the request will tell of them once more. */
  get prepaid(): number {
    return this.#prepaid;
  }

  beginning(wanted: number): Promise<HeldBeginning> {
    this.#wanted = wanted;
    if (!this.#isWhole) this.#options.inviteBody();
    return new Promise((resolve) => {
      this.#tellBeginning = resolve;
      this.#lookAtBeginning();
    });
  }

  whenLeft(listener: (() => void) | undefined): void {
    this.#left = listener;
    if (this.isLeft) listener?.();
  }

  alsoTakes(octets: number): void {
    if (this.#isFinished || this.#isGivenUp) return;
    const by = octets - this.#besides;
    this.#besides = octets;
    const afterwards = octets === 0 && this.#body.isEmpty ? "holds none" : "holds more";
    if (by > 0) HOLDING_LIMIT.grow(this, by);
    else if (by < 0) HOLDING_LIMIT.shrink(this, -by, afterwards);
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
    if (from < to && !this.#isFinished) {
      this.#octets += to - from;
      this.#body.append(bytes, from, to);
    }
    this.#lookAtBeginning();
  }

  trailers(fields: ReceivedFields): void {
    if (this.#sink !== undefined) {
      this.#sink.trailers(fields);
      return;
    }
    this.#trailers = HeldFields.borrow();
    this.#trailers.load(fields);
    this.#lookAtBeginning();
  }

  aborted(why: Abort): void {
    if (this.#sink !== undefined) {
      this.#sink.aborted(why);
      return;
    }
    this.#abort = why;
    this.#lookAtBeginning();
    if (this.isLeft) this.#left?.();
  }

  writable(): void {
    this.#sink?.writable();
  }

  judgeAgain(): void {
    this.#sink?.judgeAgain?.();
  }

  finished(): void {
    this.alsoTakes(0);
    this.#isFinished = true;
    if (this.#sink !== undefined) {
      this.#sink.finished();
      return;
    }
    this.#body.clear();
    this.#releaseTrailers();
    this.#options.left();
    this.#lookAtBeginning();
    this.#left?.();
  }

  giveUp(): void {
    this.alsoTakes(0);
    this.#body.clear();
    this.#isGivenUp = true;
    this.#lookAtBeginning();
    this.#options.giveUp();
  }

  get #isWhole(): boolean {
    const { following } = this.#options;
    return following === "last" || this.#isComplete || this.#trailers !== undefined;
  }

  /** While more is wanted, the client is told to go on. */
  #lookAtBeginning(): void {
    const tell = this.#tellBeginning;
    if (tell === undefined) return;
    const isGone = this.#isFinished || this.#isGivenUp || this.#abort !== undefined;
    if (!isGone && !this.#isWhole && this.#octets < this.#wanted) {
      this.#prepay();
      return;
    }
    this.#tellBeginning = undefined;
    if (isGone) tell("gone");
    else tell(this.#beginning());
  }

  #beginning(): BodyBeginning {
    const extent = this.#isWhole ? "whole" : "partial";
    return { pieces: this.#body.views(), octets: this.#octets, extent };
  }

  #prepay(): void {
    const octets = this.#octets - this.#prepaid;
    if (octets === 0) return;
    this.#prepaid = this.#octets;
    this.#options.consumed(octets);
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
