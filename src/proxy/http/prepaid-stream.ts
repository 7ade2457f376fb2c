/** A client's end whose request was read ahead: octets that were told to be consumed then are not told again. */
import type { Socket } from "node:net";
import type { Answer } from "../exchange.ts";
import type { Following, HttpProtocol, ReceivedFields } from "./received-message.ts";
import type { OutgoingAnswer, ServerStream } from "./streams.ts";

/** @param octets of the request's body */
export function prepaidStream(stream: ServerStream, octets: number): ServerStream {
  return octets === 0 ? stream : new PrepaidStream(stream, octets);
}

class PrepaidStream implements ServerStream {
  readonly protocol: HttpProtocol;
  readonly #stream: ServerStream;
  #prepaid: number;

  constructor(stream: ServerStream, octets: number) {
    this.protocol = stream.protocol;
    this.#stream = stream;
    this.#prepaid = octets;
  }

  interim(status: number, fields?: ReceivedFields): void {
    this.#stream.interim(status, fields);
  }

  head(answer: OutgoingAnswer, following: Following): void {
    this.#stream.head(answer, following);
  }

  switchProtocols(answer: OutgoingAnswer): void {
    this.#stream.switchProtocols(answer);
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    return this.#stream.data(bytes, from, to, following);
  }

  trailers(fields: ReceivedFields): void {
    this.#stream.trailers(fields);
  }

  answer(answer: Answer): void {
    this.#stream.answer(answer);
  }

  reset(): void {
    this.#stream.reset();
  }

  consumed(octets: number): void {
    const known = Math.min(octets, this.#prepaid);
    this.#prepaid -= known;
    if (octets > known) this.#stream.consumed(octets - known);
  }

  retireConnection(): void {
    this.#stream.retireConnection();
  }

  detach(): Socket | undefined {
    return this.#stream.detach?.();
  }
}
