/** A client's HTTP/1 connection on its socket: one request at a time, each told to the handler, and how it all ends. */
import type { Socket } from "node:net";
import { FRAMING } from "../../http/http1/framing.ts";
import { type Http1Problem, PROBLEM } from "../../http/http1/problem.ts";
import type { RequestHead } from "../../http/http1/request-head.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { refusal } from "../exchange.ts";
import { dateField } from "./http-server-date.ts";
import { finishAtEndOfTurn } from "./http-server-finish.ts";
import type { HttpServerLimits, ServedBy, ServerConnection } from "./http-server-limits.ts";
import { Http1Request } from "./http1-request.ts";
import { type Http1RequestEvents, Http1RequestReader } from "./http1-request-reader.ts";
import { writeLocalAnswer } from "./http1-server-head.ts";
import { Http1ServerStream, type Http1StreamOwner } from "./http1-server-stream.ts";
import { Http1BodyWriter } from "./http1-writer.ts";
import { localAnswer } from "./local-answers.ts";
import type { Abort, Following, ReceivedFields } from "./received-message.ts";
import { SocketEnd, type SocketEvents } from "./socket-end.ts";
import type { RequestSink } from "./streams.ts";

const REQUEST: Http1Request = new Http1Request();
const NOTHING = Buffer.alloc(0);
const LEFT: Abort = { cause: "closed", details: "downstream_remote_disconnect" };
const SILENT: Abort = { cause: "timeout", details: "stream_idle_timeout" };
const UNJUDGED = refusal(500, "the request could not be judged");

export class Http1ServerConnection<C>
  implements SocketEvents, Http1RequestEvents, Http1StreamOwner, ServerConnection<C>
{
  readonly output: SocketEnd;
  readonly connection: C;
  isEnding = false;
  readonly #server: ServedBy<C>;
  readonly #reader: Http1RequestReader;
  #answerBody: Http1BodyWriter | undefined;
  /** The one whose answer is not complete. */
  #stream: Http1ServerStream | undefined;
  #hasServed = false;
  /** Its sink was told that nothing more comes. */
  #wasAborted = false;
  /** When something last happened; of a head, when it began. On the server's clock. */
  #since: number;

  constructor(socket: Socket, connection: C, server: ServedBy<C>) {
    this.connection = connection;
    this.#server = server;
    this.#since = server.now;
    // An answer may be on its way out when the client says that it sends no more.
    socket.allowHalfOpen = true;
    this.output = new SocketEnd(socket, this);
    this.#reader = new Http1RequestReader(this.output, this);
  }

  // What the socket says.

  received(bytes: Buffer, from: number, to: number): void {
    if (this.#stream !== undefined) this.touch();
    this.#reader.receive(bytes, from, to);
  }

  /** As Envoy, we take a client that says no more for one that has gone; but a tunnel may be closed one way. */
  ended(): void {
    if (this.#reader.phase === "bytes") this.#stream?.sink?.data(NOTHING, 0, 0, "last");
    else if (this.#stream !== undefined) this.output.destroy();
    else if (this.#reader.isWithinHead) this.refused(PROBLEM.cutShort);
    else this.#endSocket();
  }

  drained(): void {
    this.touch();
    this.#stream?.drained();
    this.#reader.goOn();
  }

  closed(): void {
    this.#server.forget(this);
    this.#reader.close();
    this.#abort(LEFT);
  }

  // What the reader says.

  began(): void {
    this.touch();
  }

  request(head: RequestHead): void {
    REQUEST.show(head);
    const { keepsAlive } = head;
    const maySwitch = REQUEST.upgrade === "websocket" || REQUEST.method === "CONNECT";
    const following = head.framing === FRAMING.none && !maySwitch ? "last" : "more";
    const stream = new Http1ServerStream(this, REQUEST, { keepsAlive, maySwitch, following });
    this.#stream = stream;
    this.#wasAborted = false;
    const sink = this.#judge(stream, following);
    stream.sink = sink;
    if (stream.phase === "over" && sink !== undefined) finishAtEndOfTurn(sink);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    this.#stream?.sink?.data(bytes, from, to, following);
  }

  trailers(fields: ReceivedFields): void {
    this.#stream?.sink?.trailers(fields);
  }

  /** No answer can be trusted to be the one to a request that nobody could read: the connection ends with it. */
  refused({ code, status, words }: RefusedHead): void {
    const protocol = this.#reader.minorVersion === 0 ? "HTTP/1.0" : "HTTP/1.1";
    this.#server.handler.broken({ protocol, details: code, status }, this.connection);
    const how = { afterwards: "close", content: "whole", date: dateField() } as const;
    writeLocalAnswer(this.output, localAnswer(refusal(status, words)), how);
    this.#endSocket();
  }

  /** Where the next request begins is anybody's guess. */
  bodyRefused({ code, status }: Http1Problem): void {
    const stream = this.#stream;
    this.isEnding = true;
    if (stream === undefined) {
      this.#endSocket();
      return;
    }
    this.#wasAborted = true;
    stream.sink?.aborted({ cause: "malformed", details: code, status });
    if (stream.phase !== "head") stream.reset();
  }

  tooMuch(): void {
    if (this.#reader.phase === "deaf") this.output.destroy();
    else this.#endSocket();
  }

  threw(error: unknown): void {
    const details = describeError(error);
    this.#server.handler.broken({ protocol: "HTTP/1.1", details, status: null }, this.connection);
    this.output.destroy();
  }

  // What a stream asks for.

  get body(): Http1BodyWriter {
    this.#answerBody ??= new Http1BodyWriter(this.output);
    return this.#answerBody;
  }

  get mayReadOver(): boolean {
    return this.#reader.mayReadOver;
  }

  touch(): void {
    this.#since = this.#server.now;
  }

  consumed(stream: Http1ServerStream, octets: number): void {
    if (stream === this.#stream) this.#reader.consumed(octets);
  }

  switched(stream: Http1ServerStream): void {
    if (stream === this.#stream) this.#reader.switchToBytes();
  }

  answered(stream: Http1ServerStream, what: "a message" | "a tunnel"): void {
    if (stream !== this.#stream) return;
    this.#finish(stream);
    this.touch();
    this.#hasServed = true;
    const mustEnd = what === "a tunnel" || this.isEnding || !this.#reader.mayReadOver;
    if (mustEnd) this.#endSocket();
    else this.#reader.answered();
  }

  cut(stream: Http1ServerStream, end: "reset" | "closed"): void {
    if (stream !== this.#stream) return;
    this.#finish(stream);
    this.#reader.close();
    if (end === "reset") this.output.reset();
    else this.output.destroy();
  }

  detach(stream: Http1ServerStream): Socket | undefined {
    if (stream !== this.#stream) return undefined;
    this.#finish(stream);
    this.#server.forget(this);
    return this.output.detach(this.#reader.takeUnread());
  }

  // What the server asks for.

  retire(): void {
    this.isEnding = true;
    const { phase, isIdle } = this.#reader;
    // In a body with no stream, what is left of it is being read over.
    if (this.#stream === undefined && (isIdle || phase === "body")) this.#endSocket();
  }

  expel(): void {
    if (this.#stream?.phase === "bytes") this.#stream.reset();
    else this.retire();
  }

  judgeAgain(): void {
    this.#stream?.sink?.judgeAgain?.();
  }

  serveOnce(): void {
    this.isEnding = true;
  }

  check({ headersMs, keepAliveMs, exchangeMs, idleMs, lingerMs }: HttpServerLimits): void {
    const silence = this.#server.now - this.#since;
    const stream = this.#stream;
    if (stream !== undefined) {
      if (silence <= exchangeMs) return;
      stream.reset();
      if (!this.#wasAborted) stream.sink?.aborted(SILENT);
    } else if (this.#reader.phase === "deaf") {
      const hasSaidAll = this.output.socket.writableFinished;
      if (silence > (hasSaidAll ? lingerMs : idleMs)) this.output.destroy();
    } else if (this.#reader.isWithinHead) {
      if (silence > headersMs) this.refused(TOO_SLOW);
    } else if (silence > (this.#hasServed ? keepAliveMs : headersMs)) this.#endSocket();
  }

  destroy(): void {
    this.output.destroy();
  }

  /** A request that makes us fail must not let anybody through, nor end the process. */
  #judge(stream: Http1ServerStream, following: Following): RequestSink | undefined {
    const { connection } = this;
    const { handler } = this.#server;
    try {
      return handler.request({ stream, request: REQUEST, following, connection });
    } catch (error) {
      const details = describeError(error);
      handler.broken({ protocol: stream.protocol, details, status: 500 }, connection);
      if (stream.phase === "head") stream.answer(UNJUDGED);
      else stream.reset();
      return undefined;
    }
  }

  #abort(why: Abort): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.phase = "over";
    this.#finish(stream);
    if (!this.#wasAborted) stream.sink?.aborted(why);
  }

  /** Says no more, and waits a while until the client has read all: it might lose what it is sent meanwhile. */
  #endSocket(): void {
    this.touch();
    this.#reader.close();
    this.output.end();
  }

  #finish({ sink }: Http1ServerStream): void {
    this.#stream = undefined;
    if (sink !== undefined) finishAtEndOfTurn(sink);
  }
}

type RefusedHead = Pick<Http1Problem, "words"> & { readonly code: string; readonly status: number };

const TOO_SLOW: RefusedHead = {
  status: 408,
  code: "http1.head_timeout",
  words: "the head took too long",
};
