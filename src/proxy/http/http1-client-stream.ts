/** One request on an HTTP/1 connection to a callee. It outlives its exchange harmlessly: the connection goes on to others. */
import type { UpstreamEnds } from "../upstream-dialer.ts";
import type { Http1ClientConnection } from "./http1-client-connection.ts";
import type { Following, ReceivedFields } from "./received-message.ts";
import type { ClientStream } from "./streams.ts";

export class Http1ClientStream implements ClientStream {
  readonly ends: UpstreamEnds;
  readonly isReused: boolean;
  #connection: Http1ClientConnection | undefined;

  constructor(connection: Http1ClientConnection) {
    this.ends = connection.ends;
    this.isReused = connection.isReused;
    this.#connection = connection;
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    return this.#connection?.sendData(bytes, from, to, following) ?? to - from;
  }

  trailers(fields: ReceivedFields): void {
    this.#connection?.sendTrailers(fields);
  }

  consumed(octets: number): void {
    this.#connection?.consumed(octets);
  }

  reset(): void {
    this.#connection?.abandon();
  }

  /** The exchange is over. */
  detach(): void {
    this.#connection = undefined;
  }
}
