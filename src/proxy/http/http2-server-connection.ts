/** A client's HTTP/2 connection on its socket: many requests at once, each a stream of its own. */
import type { Socket } from "node:net";
import { Http2Connection } from "../../http/http2/connection.ts";
import { ERROR_CODE, errorCodeName } from "../../http/http2/error-code.ts";
import type { BodyPiece, Http2Events, Http2Violation } from "../../http/http2/events.ts";
import type { ReceivedHead } from "../../http/http2/received-head.ts";
import type { Http2Stream } from "../../http/http2/stream.ts";
import { StreamsById } from "../../http/http2/streams-by-id.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { refusal } from "../exchange.ts";
import { atEndOfTurn, type EndOfTurn } from "./end-of-turn.ts";
import { HeldByConnection } from "./held-by-connection.ts";
import type { Holder } from "./holding-limit.ts";
import { finishAtEndOfTurn } from "./http-server-finish.ts";
import type { HttpServerLimits, ServedBy, ServerConnection } from "./http-server-limits.ts";
import { Http2Fields } from "./http2-fields.ts";
import { Http2Request } from "./http2-request.ts";
import { Http2ServerStream, type Http2StreamOwner } from "./http2-server-stream.ts";
import { PacedInput, type PacedReader } from "./paced-input.ts";
import type { Abort, Following } from "./received-message.ts";
import { SocketEnd } from "./socket-end.ts";
import type { RequestSink } from "./streams.ts";

type Stream = Http2Stream<Http2ServerStream>;
/** In order. "ending": what is left is written, and then the end. "deaf": nothing more is said or heard. */
type Phase = "open" | "ending" | "deaf" | "closed";

const REQUEST: Http2Request = new Http2Request();
const TRAILERS: Http2Fields = new Http2Fields();
const LEFT: Abort = { cause: "closed", details: "downstream_remote_disconnect" };
const SILENT: Abort = { cause: "timeout", details: "stream_idle_timeout" };
const UNJUDGED = refusal(500, "the request could not be judged");

export class Http2ServerConnection<C>
  implements
    Http2Events<Http2ServerStream>,
    Http2StreamOwner,
    ServerConnection<C>,
    EndOfTurn,
    Holder,
    PacedReader
{
  readonly output: SocketEnd;
  readonly connection: C;
  readonly http2: Http2Connection<Http2ServerStream>;
  readonly #server: ServedBy<C>;
  readonly #input: PacedInput;
  readonly #startedAt: number;
  readonly #held: HeldByConnection = new HeldByConnection(this);
  /** Those whose answer is not complete, by id. */
  readonly #streams: StreamsById<Http2ServerStream> = new StreamsById();
  #phase: Phase = "open";
  /** Why streams are being reset right now. */
  #fault: Http2Violation | undefined;
  #isFlushAsked = false;
  /** Since when the client has been told that the connection ends. */
  #drainingSince: number | undefined;
  /** When something last came, or the end was written. On the server's clock. */
  #since: number;
  /** Of which only a part has come, as the connection numbers it, and when that was first seen. */
  #unfinished = 0;
  #unfinishedSince = 0;

  constructor(socket: Socket, connection: C, server: ServedBy<C>) {
    this.connection = connection;
    this.#server = server;
    this.#startedAt = server.now;
    this.#since = server.now;
    // What says why a connection fails may be on its way out when the client says that it sends no more.
    socket.allowHalfOpen = true;
    this.output = new SocketEnd(socket, {
      received: (bytes, from, to) => this.#input.receive(bytes, from, to),
      ended: () => this.#end(),
      drained: () => this.#writeOut(),
      closed: () => this.#close(),
    });
    this.#input = new PacedInput(this, this.output);
    this.http2 = new Http2Connection({ role: "server", now: () => server.now }, this);
    this.http2.start();
  }

  get now(): number {
    return this.#server.now;
  }

  // What the codec says.

  head(stream: Stream, head: ReceivedHead, following: Following): void {
    REQUEST.show(head);
    const one = new Http2ServerStream(this, stream, REQUEST);
    stream.context = one;
    this.#streams.set(stream.id, one);
    this.#noteHeld();
    const sink = this.#judge(one, following);
    one.sink = sink;
    if (one.phase === "over" && sink !== undefined) finishAtEndOfTurn(sink);
  }

  data({ context }: Stream, { bytes, from, to, following }: BodyPiece): void {
    if (context === undefined || context.phase === "over") return;
    context.since = this.now;
    context.sink?.data(bytes, from, to, following);
  }

  trailers({ context }: Stream, fields: ReceivedHead): void {
    if (context === undefined || context.phase === "over") return;
    this.#noteHeld();
    TRAILERS.show(fields);
    context.sink?.trailers(TRAILERS);
  }

  reset({ context }: Stream, code: number): void {
    if (context === undefined || context.phase === "over") return;
    context.gone(this.#whyReset(code));
  }

  writable({ context }: Stream): void {
    context?.writable();
  }

  drained(): void {
    this.#endWhenWritten();
  }

  violation(violation: Http2Violation): void {
    if (this.#streams.get(violation.streamId) !== undefined) {
      this.#fault = violation;
      return;
    }
    // The codec has answered a head that is too large; what else is wrong with one leaves nothing to answer.
    const status = violation.code === ERROR_CODE.NO_ERROR ? 431 : null;
    this.#tell(status === null ? codeOf(violation.code) : "http2.head_too_large", status);
  }

  failed(violation: Http2Violation): void {
    if (this.#streams.size === 0) this.#tell(codeOf(violation.code), null);
    this.#fault = violation;
    this.#endWhenWritten();
  }

  flush(): void {
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    atEndOfTurn(this);
  }

  settings(): void {}
  settingsAcknowledged(): void {}
  goaway(): void {}
  pong(): void {}

  // What streams, the server and the end of the turn ask for.

  endOfTurn(): void {
    this.#isFlushAsked = false;
    this.#writeOut();
  }

  finish({ id, sink }: Http2ServerStream): void {
    this.#streams.delete(id);
    this.#noteHeld();
    if (sink !== undefined) finishAtEndOfTurn(sink);
  }

  /** All hold too much together, and this one has stood still for longest. Who reads nothing would not read why, either. */
  giveUp(): void {
    const isRead = this.http2.pendingOutput === 0;
    this.http2.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "what is held for too long");
    if (isRead) return;
    this.#abandon();
    this.output.destroy();
  }

  expel(): void {
    this.retire();
  }

  retire(): void {
    if (this.#drainingSince !== undefined) return;
    this.#drainingSince = this.now;
    this.http2.drain();
  }

  judgeAgain(): void {
    for (const { sink } of this.#streams.values()) sink?.judgeAgain?.();
  }

  serveOnce(): void {
    this.retire();
  }

  check(limits: HttpServerLimits): void {
    const { keepAliveMs, exchangeMs, idleMs, lingerMs, settingsMs } = limits;
    const { now } = this;
    const silence = now - this.#since;
    if (this.#phase === "deaf" || this.#phase === "ending") {
      const hasSaidAll = this.output.socket.writableFinished;
      if (silence > (hasSaidAll ? lingerMs : idleMs)) this.output.destroy();
      return;
    }
    if (this.http2.awaitsAcknowledgement && now - this.#startedAt > settingsMs)
      this.http2.fail(ERROR_CODE.SETTINGS_TIMEOUT, "no acknowledgement of our settings");
    this.#checkUnfinished(limits);
    if (now - (this.#drainingSince ?? now) > lingerMs) this.http2.finishDrain();
    if (this.#streams.size === 0 && silence > keepAliveMs) this.retire();
    for (const stream of this.#streams.values()) {
      if (now - stream.since > exchangeMs) stream.abort(ERROR_CODE.CANCEL, SILENT);
    }
  }

  destroy(): void {
    this.output.destroy();
  }

  /** As in HTTP/1, a head may not come octet by octet for ever. */
  #checkUnfinished({ headersMs }: HttpServerLimits): void {
    const { unfinished } = this.http2;
    if (unfinished !== this.#unfinished) {
      this.#unfinished = unfinished;
      this.#unfinishedSince = this.now;
    } else if (unfinished > 0 && this.now - this.#unfinishedSince > headersMs) {
      this.http2.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "a head that takes too long");
    }
  }

  // The socket.

  readSome(bytes: Buffer, from: number, to: number): number {
    if (this.#phase === "deaf" || this.#phase === "closed") return to;
    this.#since = this.now;
    try {
      return this.http2.receiveSome(bytes, from, to);
    } catch (error) {
      this.#tell(describeError(error), null);
      this.http2.fail(ERROR_CODE.INTERNAL_ERROR, "a defect of ours");
      return to;
    }
  }

  /** A client that says no more is taken for one that has gone. */
  #end(): void {
    if (this.#streams.size > 0) this.output.destroy();
    else this.#endWhenWritten();
  }

  #close(): void {
    this.#phase = "closed";
    this.#server.forget(this);
    this.#abandon();
  }

  #abandon(): void {
    this.http2.abandon();
    this.#held.note(0);
  }

  #writeOut(): void {
    let isAll = false;
    while (!isAll && !this.output.isCongested) {
      const batch = this.http2.take();
      if (batch === undefined) isAll = true;
      else {
        this.output.writeBatch(batch);
        this.#held.moved();
      }
    }
    this.#noteHeld();
    if (isAll && this.#phase === "ending") this.#endSocket();
  }

  #noteHeld(): void {
    this.#held.note(this.http2.openHeads + this.http2.pendingOutput);
  }

  #endWhenWritten(): void {
    if (this.#phase !== "open") return;
    this.#phase = "ending";
    this.#since = this.now;
    this.flush();
  }

  #endSocket(): void {
    this.#phase = "deaf";
    this.output.end();
  }

  // Requests.

  /** A request that makes us fail must not let anybody through, nor end the process. */
  #judge(stream: Http2ServerStream, following: Following): RequestSink | undefined {
    const { connection } = this;
    try {
      return this.#server.handler.request({ stream, request: REQUEST, following, connection });
    } catch (error) {
      this.#tell(describeError(error), 500);
      if (stream.phase === "head") stream.answer(UNJUDGED);
      else stream.reset();
      return undefined;
    }
  }

  #whyReset(code: number): Abort {
    const fault = this.#fault;
    if (this.#phase === "closed") return LEFT;
    if (fault === undefined)
      return { cause: "reset", details: "downstream_remote_reset", done: "unknown" };
    if (fault.streamId !== 0) this.#fault = undefined;
    return { cause: "malformed", details: codeOf(code), status: null };
  }

  #tell(details: string, status: number | null): void {
    this.#server.handler.broken({ protocol: "HTTP/2", details, status }, this.connection);
  }
}

/** Of a violation of RFC 9113, as logs and metrics name it. */
function codeOf(code: number): string {
  return `http2.${errorCodeName(code).toLowerCase()}`;
}
