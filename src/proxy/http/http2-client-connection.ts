/** One connection to a callee that speaks HTTP/2, and as many requests at a time on it as the callee allows. */
import { AbuseBudget } from "../../http/http2/abuse-budget.ts";
import { Http2Connection } from "../../http/http2/connection.ts";
import { ERROR_CODE, errorCodeName } from "../../http/http2/error-code.ts";
import type { BodyPiece, Http2Events, Http2Violation } from "../../http/http2/events.ts";
import type { FieldBlock } from "../../http/http2/hpack/field-block.ts";
import { RESET_BUDGET, SETTINGS_TIMEOUT_MS } from "../../http/http2/limits.ts";
import type { ReceivedHead } from "../../http/http2/received-head.ts";
import type { Http2Stream } from "../../http/http2/stream.ts";
import type { Upstream, UpstreamEnds } from "../upstream-dialer.ts";
import { atEndOfTurn, type EndOfTurn } from "./end-of-turn.ts";
import { HeldByConnection } from "./held-by-connection.ts";
import type { Holder } from "./holding-limit.ts";
import { showHttp2Answer, showHttp2Trailers } from "./http2-answer.ts";
import { requestBlock, trailersBlock } from "./http2-client-block.ts";
import { Http2ClientStream } from "./http2-client-stream.ts";
import { PacedInput, type PacedReader } from "./paced-input.ts";
import type { Abort, Following, ReceivedFields } from "./received-message.ts";
import { SocketEnd } from "./socket-end.ts";
import type { AnswerSink, OutgoingRequest } from "./streams.ts";
import {
  type ClientConnection,
  type ConnectionKeeper,
  unsendable,
} from "./upstream-connections-member.ts";

type Stream = Http2Stream<Http2ClientStream>;

/** How long the last words of a connection may take. */
const FAREWELL_MS = 1_000;
const NOTHING = Buffer.alloc(0);
const CLOSED: Abort = { cause: "closed", details: "the callee closed the connection" };
const NO_SETTINGS: Abort = { cause: "timeout", details: "the callee acknowledges no SETTINGS" };

export class Http2ClientConnection
  implements ClientConnection, EndOfTurn, Holder, Http2Events<Http2ClientStream>, PacedReader
{
  readonly ends: UpstreamEnds;
  readonly bornAt: number;
  served = 0;
  isReused = false;
  idleSince: number;
  readonly #connection: Http2Connection<Http2ClientStream>;
  readonly #end: SocketEnd;
  readonly #input: PacedInput;
  readonly #keeper: ConnectionKeeper;
  readonly #held: HeldByConnection = new HeldByConnection(this);
  #knowsPeer = false;
  #isRetired = false;
  #isGone = false;
  #isFlushWaiting = false;
  /** Half of what callees allow: what is under way on a connection that is used up can still be given up. */
  readonly #resets: AbuseBudget;
  /** A stream has ended, or the callee allows more of them. */
  #hasRoom = false;
  /** Why all streams end. */
  #ending: Abort | undefined;
  /** The stream that is reset next for the callee's fault; 0: none. */
  #violated = 0;

  /** Takes the socket over. */
  constructor({ socket, applicationProtocol: _, ...ends }: Upstream, keeper: ConnectionKeeper) {
    this.ends = ends;
    this.#keeper = keeper;
    this.bornAt = this.idleSince = keeper.nowMs;
    this.#resets = new AbuseBudget(RESETS, () => keeper.nowMs);
    this.#end = new SocketEnd(socket, {
      received: (bytes, from, to) => this.#input.receive(bytes, from, to),
      ended: () => this.#lose(),
      drained: () => this.#write(),
      closed: () => this.#lose(),
    });
    this.#input = new PacedInput(this, this.#end);
    this.#connection = new Http2Connection({ role: "client", now: () => keeper.nowMs }, this);
    this.#connection.start();
  }

  /** Until the callee has said how many streams it allows there is only one: it may allow no more. */
  get mayServe(): boolean {
    const { mayOpen, openStreams } = this.#connection;
    const most = this.#knowsPeer ? MOST_STREAMS : 1;
    return mayOpen && !this.#isRetired && openStreams < most;
  }

  get isIdle(): boolean {
    return this.#connection.openStreams === 0;
  }

  /** Whether the callee has said what it allows. */
  get knowsPeer(): boolean {
    return this.#knowsPeer;
  }

  /** At a time; as the callee said last. */
  get mostStreams(): number {
    return this.#connection.peer.maxConcurrentStreams;
  }

  send(request: OutgoingRequest, following: Following, sink: AnswerSink): void {
    let block: FieldBlock;
    try {
      block = requestBlock(request, following);
    } catch (error) {
      sink.failed(unsendable(error));
      return;
    }
    const exchange = new Http2ClientStream(this, sink);
    exchange.attach(this.#connection.open(block, following, exchange));
    this.served++;
    this.isReused = true;
    sink.sent(exchange);
  }

  retire(): void {
    if (this.#isRetired || this.#isGone) return;
    this.#isRetired = true;
    this.#keeper.retired(this);
    // A callee that is told early may end what is under way.
    if (this.isIdle) this.#connection.drain();
  }

  /** To be called now and then. */
  checkSettings(): void {
    const isLate = this.#keeper.nowMs - this.bornAt >= SETTINGS_TIMEOUT_MS;
    if (!isLate || !this.#connection.awaitsAcknowledgement || this.#isGone) return;
    this.#ending = NO_SETTINGS;
    this.#connection.fail(ERROR_CODE.SETTINGS_TIMEOUT, NO_SETTINGS.details);
  }

  // What streams ask for.

  sendData(stream: Stream, piece: BodyPiece): number {
    if (stream.sending !== "body") return piece.to - piece.from;
    return this.#connection.sendData(stream, piece);
  }

  sendTrailers(stream: Stream, fields: ReceivedFields): void {
    if (stream.sending !== "body") return;
    const block = trailersBlock(fields);
    if (block !== undefined) this.#connection.sendTrailers(stream, block);
    else this.#connection.sendData(stream, END);
  }

  consumed(stream: Stream, octets: number): void {
    this.#connection.consumed(stream, octets);
  }

  /** Nobody wants the answer any more. */
  abandonStream(stream: Stream): void {
    this.#connection.reset(stream, ERROR_CODE.CANCEL);
    this.#hasRoom = true;
    this.#noteReset();
    this.#tellRoom();
  }

  /** Of all that hold too much together, this one's have stood still for longest. */
  giveUp(): void {
    this.#lose();
  }

  endOfTurn(): void {
    this.#isFlushWaiting = false;
    this.#write();
  }

  // What the connection says.

  head(stream: Stream, head: ReceivedHead, following: Following): void {
    const exchange = stream.context;
    this.#noteHeld();
    const answer = showHttp2Answer(head, stream.method);
    if (head.status < 200) exchange?.sink?.interim(answer);
    else if (following === "more") exchange?.sink?.head(answer, "more");
    else this.#finish(stream)?.head(answer, "last");
  }

  data(stream: Stream, { bytes, from, to, following }: BodyPiece): void {
    if (following === "more") stream.context?.sink?.data(bytes, from, to, "more");
    else this.#finish(stream)?.data(bytes, from, to, "last");
  }

  trailers(stream: Stream, fields: ReceivedHead): void {
    this.#finish(stream)?.trailers(showHttp2Trailers(fields));
  }

  reset(stream: Stream, code: number): void {
    this.#hasRoom = true;
    this.#noteReset();
    stream.context?.detach()?.aborted(this.#ending ?? this.#reasonOf(stream.id, code));
  }

  writable(stream: Stream): void {
    stream.context?.sink?.writable();
  }

  settings(): void {
    this.#knowsPeer = true;
    this.#hasRoom = true;
  }

  settingsAcknowledged(): void {
    // `checkSettings` asks the connection.
  }

  goaway(): void {
    this.#keeper.retired(this);
  }

  pong(): void {
    // Nobody asks for one.
  }

  /** After a GOAWAY, theirs or ours. */
  drained(): void {
    this.#leave();
    this.flush();
  }

  violation({ streamId }: Http2Violation): void {
    this.#violated = streamId;
  }

  failed({ code }: Http2Violation): void {
    this.#ending ??= malformed(code);
    this.#leave();
  }

  flush(): void {
    if (this.#isFlushWaiting) return;
    this.#isFlushWaiting = true;
    atEndOfTurn(this);
  }

  /**
   * The answer is complete, and so is the exchange: a callee that has answered needs no more of the request. Whoever hears
   * of it last may hold as much of the answer as one stream may carry, but no longer at the expense of others.
   */
  #finish(stream: Stream): AnswerSink | undefined {
    const sink = stream.context?.detach();
    this.#connection.consumed(stream, stream.unconsumed);
    if (stream.sending !== "over") this.#connection.reset(stream, ERROR_CODE.CANCEL);
    this.#resets.earn(1);
    this.#hasRoom = true;
    return sink;
  }

  /** A callee ends a connection with too many of these, and all that is under way with it: so it gets no further request. */
  #noteReset(): void {
    if (!this.#resets.spend(1)) this.retire();
  }

  /** Not before the connection has done with what it was told, and has counted its streams. */
  #tellRoom(): void {
    if (!this.#hasRoom || this.#isGone) return;
    this.#hasRoom = false;
    this.#noteHeld();
    if (this.#isRetired && this.isIdle) this.#connection.drain();
    else this.#keeper.ready(this);
  }

  #reasonOf(streamId: number, code: number): Abort {
    const isFault = streamId === this.#violated;
    this.#violated = 0;
    if (isFault) return malformed(code);
    const done = code === ERROR_CODE.REFUSED_STREAM ? "nothing" : "unknown";
    return { cause: "reset", details: `the callee reset the stream: ${errorCodeName(code)}`, done };
  }

  readSome(bytes: Buffer, from: number, to: number): number {
    const at = this.#connection.receiveSome(bytes, from, to);
    this.#tellRoom();
    return at;
  }

  #noteHeld(): void {
    this.#held.note(this.#connection.openHeads + this.#connection.pendingOutput);
  }

  /** Nothing more can come. */
  #lose(): void {
    this.#ending ??= CLOSED;
    this.#leave();
    this.#connection.abandon();
    this.#held.note(0);
    this.#end.destroy();
  }

  #write(): void {
    while (!this.#end.isCongested) {
      const batch = this.#connection.take();
      if (batch === undefined) break;
      this.#end.writeBatch(batch);
      this.#held.moved();
    }
    this.#noteHeld();
    if (this.#isGone && !this.#end.isCongested) this.#end.socket.destroySoon();
  }

  /** What is left to say still goes out, to who reads it. */
  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    setTimeout(() => this.#end.destroy(), FAREWELL_MS).unref();
    this.#keeper.closed(this);
  }
}

const RESETS = {
  burst: RESET_BUDGET.burst / 2,
  perSecond: RESET_BUDGET.perSecond / 2,
} as const;
/** At a time: all of them may be given up at once, on a connection that has just been used up, and others may be on it. */
const MOST_STREAMS = RESET_BUDGET.burst - RESETS.burst;
const END: BodyPiece = { bytes: NOTHING, from: 0, to: 0, following: "last" };

function malformed(code: number): Abort {
  return {
    cause: "malformed",
    details: `http2.${errorCodeName(code).toLowerCase()}`,
    status: 502,
  };
}
