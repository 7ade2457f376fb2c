/** One request over HTTP/1, as whoever answers it sees it: what the answer's head says, and how its body is framed. */
import type { Socket } from "node:net";
import { FRAMING } from "../../http/http1/framing.ts";
import type { Answer } from "../exchange.ts";
import { dateField } from "./http-server-date.ts";
import {
  type AnswerEnding,
  ENDING,
  writeAnswerHead,
  writeLocalAnswer,
} from "./http1-server-head.ts";
import type { Http1BodyWriter } from "./http1-writer.ts";
import { localAnswer } from "./local-answers.ts";
import type {
  Following,
  HttpProtocol,
  ReceivedFields,
  ReceivedRequest,
} from "./received-message.ts";
import type { SocketEnd } from "./socket-end.ts";
import type { OutgoingAnswer, RequestSink, ServerStream } from "./streams.ts";

/** The connection, as far as its streams need it. */
export interface Http1StreamOwner {
  readonly output: SocketEnd;
  readonly body: Http1BodyWriter;
  /** Whether it serves no further request. */
  isEnding: boolean;
  /** Whether what is left of the request's body may be read over. */
  readonly mayReadOver: boolean;
  consumed(stream: Http1ServerStream, octets: number): void;
  /** From now on bytes go both ways. */
  switched(stream: Http1ServerStream): void;
  /** The answer's last octet was written. */
  answered(stream: Http1ServerStream, what: "a message" | "a tunnel"): void;
  /** Something was sent. */
  touch(): void;
  /** Nothing more can be sent that the client could take for a part of the answer. */
  cut(stream: Http1ServerStream, end: "reset" | "closed"): void;
  detach(stream: Http1ServerStream): Socket | undefined;
}

export type AnswerPhase = "head" | "body" | "bytes" | "over";

export class Http1ServerStream implements ServerStream, AnswerEnding {
  readonly protocol: HttpProtocol;
  /** Known once the request was judged. */
  sink: RequestSink | undefined;
  phase: AnswerPhase = "head";
  /** Of the head that is written next. */
  contentLength = -1;
  lines: Buffer = ENDING.nothing;
  readonly #owner: Http1StreamOwner;
  readonly #isHead: boolean;
  readonly #isConnect: boolean;
  readonly #maySwitch: boolean;
  readonly #keepsAlive: boolean;
  /** The client may leave out its body unless it is told to go on. */
  #awaitsContinue: boolean;
  #framing: number = FRAMING.none;
  #isFull = false;

  constructor(owner: Http1StreamOwner, request: ReceivedRequest, about: RequestEnds) {
    this.#owner = owner;
    this.protocol = request.protocol;
    this.#isHead = request.method === "HEAD";
    this.#isConnect = request.method === "CONNECT";
    this.#maySwitch = about.maySwitch;
    this.#keepsAlive = about.keepsAlive;
    this.#awaitsContinue = request.expectation !== "none" && about.following === "more";
  }

  interim(status: number, fields?: ReceivedFields): void {
    if (this.phase !== "head" || this.protocol === "HTTP/1.0") return;
    if (status === 100) this.#awaitsContinue = false;
    this.contentLength = -1;
    this.lines = ENDING.nothing;
    this.#owner.touch();
    writeAnswerHead(this.#owner.output, { status, fields }, this);
  }

  head(answer: OutgoingAnswer, following: Following): void {
    if (this.phase !== "head") return;
    this.#frame(answer, following);
    this.#endWithAnswer(this.#framing === FRAMING.untilClose);
    this.lines = this.#lines();
    writeAnswerHead(this.#owner.output, answer, this);
    this.phase = "body";
    this.#owner.body.begin(this.#framing, this.contentLength);
    if (following === "last") this.data(NOTHING, 0, 0, "last");
  }

  switchProtocols(answer: OutgoingAnswer): void {
    if (this.phase !== "head") return;
    this.contentLength = -1;
    this.lines = answer.status === 101 ? ENDING.websocket : ENDING.nothing;
    writeAnswerHead(this.#owner.output, answer, this);
    this.phase = "bytes";
    this.#owner.isEnding = true;
    this.#owner.body.begin(FRAMING.switched, 0);
    this.#owner.switched(this);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    if (this.phase !== "body" && this.phase !== "bytes") return to - from;
    if (to > from && this.#owner.output.isCongested) {
      this.#isFull = true;
      return 0;
    }
    this.#owner.touch();
    if (!this.#write(bytes, { from, to, following })) this.reset();
    else if (following === "last") this.#end();
    return to - from;
  }

  trailers(fields: ReceivedFields): void {
    if (this.phase !== "body" && this.phase !== "bytes") return;
    if (this.#isBodyless || this.#owner.body.trailers(fields)) this.#end();
    else this.reset();
  }

  answer(answer: Answer): void {
    if (this.phase !== "head") return;
    const { output } = this.#owner;
    const local = localAnswer(answer);
    this.#endWithAnswer(!this.#owner.mayReadOver);
    const afterwards = this.#owner.isEnding ? "close" : "keep";
    const content = this.#isHead ? "head only" : "whole";
    const how = { afterwards, content, date: dateField() } as const;
    writeLocalAnswer(output, local, how);
    this.#end();
  }

  reset(): void {
    if (this.phase === "over") return;
    const hidesEnd = this.phase !== "head" && this.#framing === FRAMING.untilClose;
    this.phase = "over";
    this.#owner.cut(this, hidesEnd ? "reset" : "closed");
  }

  consumed(octets: number): void {
    if (this.phase !== "over") this.#owner.consumed(this, octets);
  }

  retireConnection(): void {
    if (this.phase !== "over") this.#owner.isEnding = true;
  }

  detach(): Socket | undefined {
    if (!this.#isConnect || this.phase !== "head") return undefined;
    this.phase = "over";
    return this.#owner.detach(this);
  }

  /** The socket takes more. */
  drained(): void {
    if (!this.#isFull || this.phase === "over") return;
    this.#isFull = false;
    this.sink?.writable();
  }

  #frame({ status, contentLength }: OutgoingAnswer, following: Following): void {
    const isBodyless = this.#isHead || status === 304 || status === 204;
    this.contentLength = status === 204 ? -1 : contentLength;
    if (isBodyless) this.#framing = FRAMING.none;
    else if (following === "last") {
      // Whoever promised more, or said nothing, has sent nothing.
      this.contentLength = Math.max(contentLength, 0);
      this.#framing = FRAMING.length;
    } else if (contentLength >= 0) this.#framing = FRAMING.length;
    else if (this.protocol === "HTTP/1.0") this.#framing = FRAMING.untilClose;
    else this.#framing = FRAMING.chunked;
  }

  /** Whether nothing that follows on the connection could be read for sure, or should be. */
  #endWithAnswer(mustEnd: boolean): void {
    if (mustEnd || this.#maySwitch || !this.#keepsAlive || this.#awaitsContinue)
      this.#owner.isEnding = true;
  }

  #lines(): Buffer {
    const { isEnding } = this.#owner;
    if (this.#framing === FRAMING.chunked) {
      return isEnding ? ENDING.chunkedAndClose : ENDING.chunked;
    }
    if (isEnding) return ENDING.close;
    return this.protocol === "HTTP/1.0" ? ENDING.keepAlive : ENDING.nothing;
  }

  /** Whether the answer is over with its head, whatever that says of a body. */
  get #isBodyless(): boolean {
    return this.phase === "body" && this.#framing === FRAMING.none;
  }

  /** @returns whether the head has room for it */
  #write(bytes: Buffer, { from, to, following }: Piece): boolean {
    if (this.#isBodyless) return to === from;
    return this.#owner.body.data(bytes, from, to, following);
  }

  #end(): void {
    if (this.phase === "over") return;
    const isTunnel = this.phase === "bytes";
    this.phase = "over";
    this.#owner.answered(this, isTunnel ? "a tunnel" : "a message");
  }
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly following: Following;
}

const NOTHING = Buffer.alloc(0);

export interface RequestEnds {
  /** Whether the client lets the connection serve on, for all its head says. */
  readonly keepsAlive: boolean;
  /** Whether it asks for a switch of protocols that may be granted. */
  readonly maySwitch: boolean;
  readonly following: Following;
}
