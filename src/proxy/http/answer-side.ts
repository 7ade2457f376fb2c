/** The side of an exchange that faces the callee: what comes of the answer goes to the client at the client's pace. */
import type { UpstreamConnectError } from "../upstream-dialer.ts";
import { BodyPipe } from "./body-pipe.ts";
import type { Holder } from "./holding-limit.ts";
import type { Abort, Following, ReceivedAnswer, ReceivedFields } from "./received-message.ts";
import type { AnswerSink, ClientStream, ServerStream } from "./streams.ts";

/** Who decides what becomes of the exchange. */
export interface AnswerListener extends Holder {
  failed(error: UpstreamConnectError): void;
  sent(client: ClientStream): void;
  answered(answer: ReceivedAnswer, following: Following): void;
  answerComplete(): void;
  lost(why: Abort): void;
  /** The callee takes more of the request. */
  calleeWritable(): void;
}

export class AnswerSide implements AnswerSink {
  readonly #forwarding: AnswerListener;
  readonly #stream: ServerStream;
  #client: ClientStream | undefined;
  /** Of the body, as they came. */
  octets = 0;
  /** Only once the client has not taken all at once: most answers need none. */
  #body: BodyPipe | undefined;

  constructor(forwarding: AnswerListener, stream: ServerStream) {
    this.#forwarding = forwarding;
    this.#stream = stream;
  }

  /** Of the connection that it was sent by last. */
  get ends(): ClientStream["ends"] | undefined {
    return this.#client?.ends;
  }

  setSender(client: ClientStream): void {
    this.#client = client;
  }

  failed(error: UpstreamConnectError): void {
    this.#forwarding.failed(error);
  }

  sent(client: ClientStream): void {
    this.#forwarding.sent(client);
  }

  interim({ status, fields }: ReceivedAnswer): void {
    this.#stream.interim(status, fields);
  }

  head(answer: ReceivedAnswer, following: Following): void {
    this.#forwarding.answered(answer, following);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): void {
    if (following === "last") this.#forwarding.answerComplete();
    this.octets += to - from;
    if (this.#body !== undefined) {
      this.#body.data(bytes, from, to, following);
      return;
    }
    const taken = this.#stream.data(bytes, from, to, following);
    if (from + taken < to) this.#hold().data(bytes, from + taken, to, following);
    if (taken > 0) this.#client?.consumed(taken);
  }

  trailers(fields: ReceivedFields): void {
    this.#forwarding.answerComplete();
    if (this.#body !== undefined) this.#body.trailers(fields);
    else this.#stream.trailers(fields);
  }

  aborted(why: Abort): void {
    this.#forwarding.lost(why);
  }

  /** The callee takes more of the request. */
  writable(): void {
    this.#forwarding.calleeWritable();
  }

  /** The client takes more of the answer. */
  clientWritable(): void {
    this.#body?.writable();
  }

  close(): void {
    this.#body?.close();
  }

  #hold(): BodyPipe {
    this.#body = new BodyPipe(this.#client, this.#forwarding);
    this.#body.setReceiver(this.#stream);
    return this.#body;
  }
}
