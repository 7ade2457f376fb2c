/** One request on an HTTP/2 connection to a callee, and who waits for its answer. */
import type { Http2Stream } from "../../http/http2/stream.ts";
import type { UpstreamEnds } from "../upstream-dialer.ts";
import type { Http2ClientConnection } from "./http2-client-connection.ts";
import type { Following, ReceivedFields } from "./received-message.ts";
import type { AnswerSink, ClientStream } from "./streams.ts";

export class Http2ClientStream implements ClientStream {
  readonly ends: UpstreamEnds;
  readonly isReused: boolean;
  /** Undefined once the exchange is over. */
  sink: AnswerSink | undefined;
  readonly #connection: Http2ClientConnection;
  #stream: Http2Stream<Http2ClientStream> | undefined;

  constructor(connection: Http2ClientConnection, sink: AnswerSink) {
    this.ends = connection.ends;
    this.isReused = connection.isReused;
    this.sink = sink;
    this.#connection = connection;
  }

  /** To be called once, before anything else. */
  attach(stream: Http2Stream<Http2ClientStream>): void {
    this.#stream = stream;
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    const stream = this.#stream;
    if (stream === undefined) return to - from;
    return this.#connection.sendData(stream, { bytes, from, to, following });
  }

  trailers(fields: ReceivedFields): void {
    if (this.#stream !== undefined) this.#connection.sendTrailers(this.#stream, fields);
  }

  consumed(octets: number): void {
    if (this.#stream !== undefined) this.#connection.consumed(this.#stream, octets);
  }

  reset(): void {
    const stream = this.#stream;
    this.detach();
    if (stream !== undefined) this.#connection.abandonStream(stream);
  }

  /** The exchange is over. @returns who may hear one more thing */
  detach(): AnswerSink | undefined {
    const { sink } = this;
    this.sink = undefined;
    this.#stream = undefined;
    return sink;
  }
}
