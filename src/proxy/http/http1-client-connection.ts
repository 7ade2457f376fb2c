/**
 * One connection to a callee that speaks HTTP/1, and one request at a time on it. Whether it may serve again is decided
 * strictly: whoever reads an answer that belongs to another request has lost (RFC 9112 section 9.3).
 */
import { REFUSED } from "../../http/http1/field-section.ts";
import { FRAMING } from "../../http/http1/framing.ts";
import { MessageBody } from "../../http/http1/message-body.ts";
import { ANSWERS, type ResponseHead } from "../../http/http1/response-head.ts";
import type { Upstream, UpstreamEnds } from "../upstream-dialer.ts";
import { turnNumber } from "./end-of-turn.ts";
import {
  answerFraming,
  answersTo,
  openAnswerReader,
  refusesRest,
  showAnswer,
  showTrailers,
} from "./http1-answer.ts";
import { ABORT, MOST_INTERIM, malformed } from "./http1-client-aborts.ts";
import { AnswerCredit } from "./http1-client-credit.ts";
import { Http1ClientStream } from "./http1-client-stream.ts";
import type { Http1HeadReader } from "./http1-head-reader.ts";
import { Http1BodyWriter, writeRequestHead } from "./http1-writer.ts";
import type { Abort, Following, ReceivedFields } from "./received-message.ts";
import { SocketEnd, type SocketEvents } from "./socket-end.ts";
import type { AnswerSink, OutgoingRequest } from "./streams.ts";
import {
  type ClientConnection,
  type ConnectionKeeper,
  unsendable,
} from "./upstream-connections-member.ts";

const NOTHING = Buffer.alloc(0);
/** Where an answer ends in what has come. */
type Ending = "exactly" | "with more behind it";
/** "ended": of a tunnel that the callee has ended, what the client sent is still on its way. */
type Phase = "idle" | "head" | "body" | "switched" | "ended" | "closed";

export class Http1ClientConnection implements ClientConnection, SocketEvents {
  readonly ends: UpstreamEnds;
  served = 0;
  isReused = false;
  idleSince: number;
  readonly bornAt: number;
  readonly #end: SocketEnd;
  readonly #keeper: ConnectionKeeper;
  readonly #reader: Http1HeadReader<ResponseHead> = openAnswerReader();
  readonly #answerBody: MessageBody = new MessageBody();
  readonly #requestBody: Http1BodyWriter;
  readonly #credit: AnswerCredit;
  #phase: Phase = "idle";
  #sentInTurn = 0;
  #stream: Http1ClientStream | undefined;
  #sink: AnswerSink | undefined;
  /** Of the request that is under way: one of `ANSWERS`. */
  #answers: number = ANSWERS.plain;
  /** Whether the answer, as far as it has come, lets the connection serve again. */
  #keepsAlive = false;
  #isRetired = false;
  #interims = 0;
  #owesWritable = false;
  /** What the owner would like to send, or to end, once the protocol is switched. */
  #early: "nothing" | "bytes" | "end" = "nothing";

  /** Takes the socket over. */
  constructor({ socket, applicationProtocol: _, ...ends }: Upstream, keeper: ConnectionKeeper) {
    this.ends = ends;
    this.#keeper = keeper;
    this.bornAt = this.idleSince = keeper.nowMs;
    this.#end = new SocketEnd(socket, this);
    this.#requestBody = new Http1BodyWriter(this.#end);
    this.#credit = new AnswerCredit(this.#end);
  }

  get mayServe(): boolean {
    return this.#phase === "idle" && !this.#isRetired;
  }

  /** Also a tunnel's last bytes have no more time than a connection has that nobody uses. */
  get isIdle(): boolean {
    return this.#phase === "idle" || this.#phase === "ended";
  }

  send(request: OutgoingRequest, following: Following, sink: AnswerSink): void {
    try {
      const framing = writeRequestHead(this.#end, request, following);
      this.#requestBody.begin(framing, request.contentLength);
    } catch (error) {
      sink.failed(unsendable(error));
      return;
    }
    this.#answers = answersTo(request);
    this.#phase = "head";
    this.#sentInTurn = turnNumber();
    this.#sink = sink;
    this.#stream = new Http1ClientStream(this);
    this.#interims = 0;
    this.#early = "nothing";
    this.served++;
    sink.sent(this.#stream);
  }

  retire(): void {
    if (this.#isRetired || this.#phase === "closed") return;
    this.#isRetired = true;
    if (this.isIdle) this.#close();
    else this.#keeper.retired(this);
  }

  // What the stream of the request that is under way asks for.

  sendData(bytes: Buffer, from: number, to: number, following: Following): number {
    if (this.#phase === "head" && this.#answers >= ANSWERS.connect) {
      if (to > from) this.#early = "bytes";
      else if (following === "last") this.#early = "end";
      return 0;
    }
    if (this.#requestBody.isOver) return to - from;
    if (to > from && this.#end.isCongested) {
      this.#owesWritable = true;
      return 0;
    }
    if (!this.#requestBody.data(bytes, from, to, following)) this.#abort(ABORT.wrongLength);
    else if (this.#phase === "switched" && following === "last") this.#end.end();
    return to - from;
  }

  sendTrailers(fields: ReceivedFields): void {
    if (!this.#requestBody.isOver && !this.#requestBody.trailers(fields))
      this.#abort(ABORT.wrongLength);
  }

  consumed(octets: number): void {
    this.#credit.take(octets);
  }

  /** Nobody wants the answer any more. */
  abandon(): void {
    this.#release();
    this.#close();
  }

  // What the socket says.

  /**
   * On an idle connection, or before the request has gone out, what comes answers nothing: it may be a server's word that
   * it waits no longer, or worse.
   */
  received(bytes: Buffer, from: number, to: number): void {
    if (this.#phase === "idle") this.#close();
    else if (this.#phase === "head" && this.#sentInTurn === turnNumber()) this.#abort(ABORT.closed);
    let at = from;
    while (at < to && this.#phase !== "closed") {
      if (this.#phase === "head") at = this.#readHead(bytes, at, to);
      else if (this.#phase === "body") at = this.#readBody(bytes, at, to);
      else at = this.#give(bytes, at, to);
    }
  }

  ended(): void {
    if (this.#phase === "switched") this.#endTunnel();
    else if (this.#phase === "body" && this.#answerBody.end())
      this.#finish("exactly")?.data(NOTHING, 0, 0, "last");
    else this.#abort(ABORT.closed);
  }

  drained(): void {
    if (!this.#owesWritable) return;
    this.#owesWritable = false;
    this.#sink?.writable();
  }

  closed(): void {
    this.#abort(ABORT.closed);
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    const end = this.#reader.read(bytes, from, to);
    const { head } = this.#reader;
    if (end === REFUSED) this.#abort(malformed(head.problem));
    if (end <= 0) return to;
    const framing = answerFraming(head, this.#answers);
    if (framing < 0) this.#abort(malformed(head.problem));
    else if (head.isInterim) this.#tellInterim(head);
    else this.#tellHead(head, framing, end === to ? "exactly" : "with more behind it");
    return end;
  }

  #tellInterim(head: ResponseHead): void {
    if (++this.#interims > MOST_INTERIM) this.#abort(ABORT.tooManyInterim);
    else this.#sink?.interim(showAnswer(head, "HTTP"));
  }

  /** @param framing one of `FRAMING` */
  #tellHead(head: ResponseHead, framing: number, ends: Ending): void {
    // A callee that has not read all of the request may take the rest of it for another.
    const isEarly = !this.#requestBody.isOver;
    if (isEarly && refusesRest(head)) this.#requestBody.abandon();
    this.#keepsAlive = head.keepsAlive && framing !== FRAMING.untilClose && !isEarly;
    if (framing === FRAMING.switched) this.#switchProtocols(head);
    else if (framing === FRAMING.none) this.#finish(ends)?.head(showAnswer(head, "HTTP"), "last");
    else {
      this.#phase = "body";
      this.#answerBody.begin(framing, head.contentLength);
      this.#sink?.head(showAnswer(head, "HTTP"), "more");
    }
  }

  #switchProtocols(head: ResponseHead): void {
    this.#phase = "switched";
    this.#keepsAlive = false;
    this.#requestBody.begin(FRAMING.switched, 0);
    const early = this.#early;
    this.#sink?.head(showAnswer(head, "other bytes"), "more");
    if (early === "bytes") this.#sink?.writable();
    else if (early === "end") this.sendData(NOTHING, 0, 0, "last");
  }

  /** A piece is told once it is known whether it is the last: what follows a last chunk's payload mostly comes with it. */
  #readBody(bytes: Buffer, from: number, to: number): number {
    const body = this.#answerBody;
    let [at, start, end] = [from, from, from];
    while (at >= 0 && at < to && !body.isOver) {
      at = body.step(bytes, at, to);
      if (at < 0 || body.payloadStart === body.payloadEnd) continue;
      this.#give(bytes, start, end);
      start = body.payloadStart;
      end = body.payloadEnd;
    }
    const { trailers } = body;
    if (!body.isOver || trailers !== undefined) this.#give(bytes, start, end);
    if (this.#phase !== "body") return to;
    if (at < 0) this.#abort(malformed(body.problem));
    else if (body.isOver) {
      const sink = this.#finish(at === to ? "exactly" : "with more behind it");
      if (trailers === undefined) sink?.data(bytes, start, end, "last");
      else sink?.trailers(showTrailers(trailers));
    }
    return at < 0 ? to : at;
  }

  /** What is not the last of an answer. @returns where it ends */
  #give(bytes: Buffer, from: number, to: number): number {
    if (to === from) return to;
    this.#credit.give(to - from);
    this.#sink?.data(bytes, from, to, "more");
    return to;
  }

  /**
   * The answer is complete. The connection is ready before its last piece is told: whoever hears it may have another
   * request at hand.
   */
  #finish(ends: Ending): AnswerSink | undefined {
    const sink = this.#sink;
    const isExact = ends === "exactly" && this.#requestBody.isOver;
    const mayGoOn = isExact && this.#keepsAlive && !this.#isRetired;
    this.#release();
    if (!mayGoOn) this.#close();
    else {
      this.#phase = "idle";
      this.isReused = true;
      this.#keeper.ready(this);
    }
    return sink;
  }

  #abort(why: Abort): void {
    const sink = this.#sink;
    this.#release();
    this.#close();
    sink?.aborted(why);
  }

  /** What the client sent still goes out; then the socket closes by itself. */
  #endTunnel(): void {
    const sink = this.#sink;
    this.#release();
    this.#phase = "ended";
    this.idleSince = this.#keeper.nowMs;
    this.#end.end();
    sink?.data(NOTHING, 0, 0, "last");
  }

  /** The exchange is over. */
  #release(): void {
    this.#stream?.detach();
    this.#stream = undefined;
    this.#sink = undefined;
    this.#owesWritable = false;
    this.#credit.clear();
  }

  #close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#end.destroy();
    this.#keeper.closed(this);
  }
}
