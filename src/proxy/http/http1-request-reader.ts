/**
 * What a client of HTTP/1 says, taken apart: heads, and the bodies behind them out of their framing. One request at a time:
 * what comes behind it waits here, and beyond that with the client.
 */
import { INCOMPLETE, REFUSED } from "../../http/http1/field-section.ts";
import { FRAMING } from "../../http/http1/framing.ts";
import { MessageBody } from "../../http/http1/message-body.ts";
import { type Http1Problem, PROBLEM } from "../../http/http1/problem.ts";
import { RequestHead } from "../../http/http1/request-head.ts";
import { HeldBytes } from "./http-server-held-bytes.ts";
import { Http1Fields } from "./http1-fields.ts";
import { Http1HeadReader } from "./http1-head-reader.ts";
import type { Following, ReceivedFields } from "./received-message.ts";
import type { SocketEnd } from "./socket-end.ts";

/** What a reader tells. All may be called from within `receive` and `goOn`, which need not be called again for it. */
export interface Http1RequestEvents {
  /** A head has begun to come. */
  began(): void;
  /** A request's head; what comes of its body follows, for as long as its answer is not complete. */
  request(head: RequestHead): void;
  /** Of the request's body, or, once it has switched, of anything. */
  data(bytes: Buffer, from: number, to: number, following: Following): void;
  trailers(fields: ReceivedFields): void;
  /** Bytes that are no request: nothing more is read. */
  refused(problem: Http1Problem): void;
  /** The body is malformed: nothing more is read. */
  bodyRefused(problem: Http1Problem): void;
  /** More is thrown away than is worth it. */
  tooMuch(): void;
  /** One of the above has thrown. */
  threw(error: unknown): void;
}

/**
 * "head": between requests, or within a head. "body": within a request's body. "waiting": that is complete, and its answer
 * is not. "bytes": they are no HTTP any more. "deaf": what comes is thrown away.
 */
export type ReadingPhase = "head" | "body" | "waiting" | "bytes" | "deaf";

/** Octets that may wait: of what nobody has passed on yet, or of requests to come. */
const HIGH_WATER = 65_536;
/** A body up to this size is read to its end so that the connection can serve on; a longer one ends it. */
const MAX_UNWANTED = 1_048_576;
/** One for all connections: a head is only looked at while it is told. */
const HEAD: RequestHead = new RequestHead();
const TRAILERS: Http1Fields = new Http1Fields();
const NOTHING = Buffer.alloc(0);

export class Http1RequestReader {
  #phase: ReadingPhase = "head";
  readonly #output: SocketEnd;
  readonly #events: Http1RequestEvents;
  readonly #heads: Http1HeadReader<RequestHead> = new Http1HeadReader(HEAD, createHead);
  readonly #held: HeldBytes = new HeldBytes();
  #body: MessageBody | undefined;
  #contentLength = -1;
  /** Whether somebody still answers the request: the rest of its body is theirs. */
  #isServed = false;
  #hasSwitched = false;
  /** Of what is being read: where what was not looked at begins. */
  #bytes: Buffer = NOTHING;
  #at = 0;
  #to = 0;
  #isReading = false;
  #unconsumed = 0;
  #unwanted = 0;
  #isPaused = false;

  /** @param output while it is congested no further request is begun */
  constructor(output: SocketEnd, events: Http1RequestEvents) {
    this.#output = output;
    this.#events = events;
  }

  get phase(): ReadingPhase {
    return this.#phase;
  }

  /** Whether some of a head has come, but not all. */
  get isWithinHead(): boolean {
    return this.#heads.isWithin;
  }

  /** Whether nothing has come that was not answered. */
  get isIdle(): boolean {
    return this.#phase === "head" && !this.#heads.isWithin && this.#held.length === 0;
  }

  /** Whether what is left of the request's body may be read over. */
  get mayReadOver(): boolean {
    if (this.#phase !== "body") return true;
    return this.#contentLength - (this.#body?.payloadBytes ?? 0) <= MAX_UNWANTED;
  }

  /** Of the head that was read last. */
  get minorVersion(): 0 | 1 {
    return this.#heads.head.minorVersion;
  }

  receive(bytes: Buffer, from: number, to: number): void {
    if (this.#held.length === 0) {
      this.#read(bytes, from, to);
      return;
    }
    this.#held.append(bytes, from, to);
    this.goOn();
    this.#setPace();
  }

  /** What was held is read as far as it can be. */
  goOn(): void {
    if (this.#isReading || this.#held.length === 0) return;
    const { bytes, from, to } = this.#held.lend();
    this.#read(bytes, from, to);
  }

  /** So many octets were passed on, or thrown away. */
  consumed(octets: number): void {
    this.#unconsumed = Math.max(0, this.#unconsumed - octets);
    this.#setPace();
  }

  /** The request's answer is complete: what is left of its body is read over, and the next one may come. */
  answered(): void {
    this.#isServed = false;
    this.#unconsumed = 0;
    if (this.#phase === "waiting") this.#phase = "head";
    this.goOn();
    this.#setPace();
  }

  /** What comes behind the request is no HTTP. */
  switchToBytes(): void {
    this.#hasSwitched = true;
    if (this.#phase === "waiting") this.#phase = "bytes";
    this.goOn();
  }

  /** Nothing is read any more. */
  close(): void {
    this.#phase = "deaf";
    this.#unwanted = 0;
    this.#heads.abandon();
    if (!this.#isReading) this.#held.clear();
    this.#setPace();
  }

  /** Closes it. @returns what has come and was not read */
  takeUnread(): Buffer {
    const unread = this.#isReading
      ? Buffer.from(this.#bytes.subarray(this.#at, this.#to))
      : this.#held.take();
    this.#at = this.#to;
    this.#isPaused = false;
    this.close();
    return unread;
  }

  #read(bytes: Buffer, from: number, to: number): void {
    this.#isReading = true;
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
    try {
      while (this.#at < this.#to && this.#readOn());
    } catch (error) {
      this.close();
      this.#at = this.#to;
      this.#events.threw(error);
    }
    this.#isReading = false;
    this.#held.keep(bytes, this.#at, this.#to);
    this.#bytes = NOTHING;
    this.#setPace();
  }

  /** @returns whether to go on: false when what is left has to wait */
  #readOn(): boolean {
    if (this.#phase === "head") {
      if (this.#output.isCongested) return false;
      this.#readHead();
    } else if (this.#phase === "body") this.#readBody();
    else if (this.#phase === "waiting") return false;
    else this.#readOther();
    return true;
  }

  #readHead(): void {
    if (!this.#heads.isWithin) this.#events.began();
    const end = this.#heads.read(this.#bytes, this.#at, this.#to);
    if (end === INCOMPLETE) this.#at = this.#to;
    else if (end === REFUSED) {
      this.close();
      this.#events.refused(this.#heads.head.problem);
    } else {
      this.#at = end;
      this.#begin(this.#heads.head);
    }
  }

  #begin(head: RequestHead): void {
    const { framing, contentLength } = head;
    this.#isServed = true;
    this.#hasSwitched = false;
    this.#phase = "waiting";
    this.#contentLength = contentLength;
    if (framing !== FRAMING.none) {
      this.#phase = "body";
      this.#unwanted = 0;
      this.#body ??= new MessageBody();
      this.#body.begin(framing, contentLength);
    }
    this.#events.request(head);
  }

  #readBody(): void {
    const body = this.#body;
    const end = body?.step(this.#bytes, this.#at, this.#to) ?? REFUSED;
    if (body === undefined || end === REFUSED) {
      this.close();
      this.#events.bodyRefused(body?.problem ?? PROBLEM.none);
      return;
    }
    const length = end - this.#at;
    this.#at = end;
    if (body.isOver) this.#phase = this.#phaseAfterBody();
    if (this.#isServed) this.#deliver(body);
    else this.#throwAway(length);
  }

  #phaseAfterBody(): ReadingPhase {
    if (!this.#isServed) return "head";
    return this.#hasSwitched ? "bytes" : "waiting";
  }

  #deliver(body: MessageBody): void {
    const { payloadStart: from, payloadEnd: to, trailers } = body;
    const following = body.isOver && trailers === undefined ? "last" : "more";
    this.#unconsumed += to - from;
    if (from < to || following === "last") this.#events.data(this.#bytes, from, to, following);
    if (trailers === undefined) return;
    TRAILERS.showTrailers(trailers);
    this.#events.trailers(TRAILERS);
  }

  #readOther(): void {
    const from = this.#at;
    const length = this.#to - from;
    this.#at = this.#to;
    if (this.#phase === "deaf") this.#throwAway(length);
    else {
      this.#unconsumed += length;
      this.#events.data(this.#bytes, from, this.#to, "more");
    }
  }

  #throwAway(octets: number): void {
    this.#unwanted += octets;
    if (this.#unwanted > MAX_UNWANTED) this.#events.tooMuch();
  }

  /** What is held back is bounded: the kernel, and then the client itself, keep the rest. */
  #setPace(): void {
    const isTooMuch = this.#unconsumed >= HIGH_WATER || this.#held.length >= HIGH_WATER;
    const mustPause = isTooMuch && this.#phase !== "deaf";
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#output.pause();
    else this.#output.resume();
  }
}

function createHead(): RequestHead {
  return new RequestHead();
}
