/** One request over HTTP/2, as whoever answers it sees it. */
import type { Http2Connection } from "../../http/http2/connection.ts";
import { ERROR_CODE } from "../../http/http2/error-code.ts";
import type { BodyPiece } from "../../http/http2/events.ts";
import { FieldBlock } from "../../http/http2/hpack/field-block.ts";
import type { Http2Stream } from "../../http/http2/stream.ts";
import type { Answer } from "../exchange.ts";
import { dateField } from "./http-server-date.ts";
import { trailersBlock } from "./http2-client-block.ts";
import type { Abort, Following, ReceivedFields } from "./received-message.ts";
import type { OutgoingAnswer, RequestSink, ServerStream } from "./streams.ts";

/** The connection, as far as its streams need it. */
export interface Http2StreamOwner {
  readonly http2: Http2Connection<Http2ServerStream>;
  /** On the server's clock. */
  readonly now: number;
  retire(): void;
  /** The exchange is over. */
  finish(stream: Http2ServerStream): void;
}

/** One for all: filled, sent, filled anew. */
const BLOCK: FieldBlock = new FieldBlock();
const NOTHING = Buffer.alloc(0);
const PIECE: { -readonly [Key in keyof BodyPiece]: BodyPiece[Key] } = {
  bytes: NOTHING,
  from: 0,
  to: 0,
  following: "more",
};

export class Http2ServerStream implements ServerStream {
  readonly protocol = "HTTP/2";
  /** Known once the request was judged. */
  sink: RequestSink | undefined;
  phase: "head" | "body" | "over" = "head";
  /** When something last happened. */
  since: number;
  readonly #owner: Http2StreamOwner;
  readonly id: number;
  readonly #stream: Http2Stream<Http2ServerStream>;
  readonly #isHead: boolean;
  /** Of an answer of our own, what the client's window did not let through. */
  #rest: Buffer | undefined;

  constructor(
    owner: Http2StreamOwner,
    stream: Http2Stream<Http2ServerStream>,
    { method }: { readonly method: string },
  ) {
    this.#owner = owner;
    this.#stream = stream;
    this.#owner = owner;
    this.#stream = stream;
    this.id = stream.id;
    this.#isHead = method === "HEAD";
    this.since = owner.now;
  }

  interim(status: number, fields?: ReceivedFields): void {
    if (this.phase !== "head") return;
    this.since = this.#owner.now;
    this.#sendHead(status, fields, "more");
  }

  head({ status, fields }: OutgoingAnswer, following: Following): void {
    if (this.phase !== "head") return;
    this.since = this.#owner.now;
    this.phase = "body";
    this.#sendHead(status, fields, following);
    if (following === "last") this.#end();
  }

  /** Of a CONNECT: HTTP/2 has no other switch. */
  switchProtocols(answer: OutgoingAnswer): void {
    if (answer.status === 101) this.reset();
    else this.head(answer, "more");
  }

  data(bytes: Buffer, from: number, to: number, following: Following): number {
    if (this.phase !== "body" || this.#rest !== undefined) return to - from;
    this.since = this.#owner.now;
    const taken = this.#send(bytes, { from, to, following });
    if (taken === to - from && following === "last") this.#end();
    return taken;
  }

  trailers(fields: ReceivedFields): void {
    if (this.phase !== "body" || this.#rest !== undefined) return;
    const block = trailersBlock(fields);
    if (block !== undefined) this.#owner.http2.sendTrailers(this.#stream, block);
    else this.#send(NOTHING, { from: 0, to: 0, following: "last" });
    this.#end();
  }

  answer(answer: Answer): void {
    if (this.phase !== "head") return;
    this.phase = "body";
    const body = Buffer.from(fillLocal(answer) ? answer.body : "");
    const isBodyless = this.#isHead || body.length === 0;
    this.#owner.http2.sendHead(this.#stream, BLOCK, isBodyless ? "last" : "more");
    if (isBodyless) this.#end();
    else this.#sendRest(body);
  }

  reset(): void {
    this.abort(ERROR_CODE.INTERNAL_ERROR);
  }

  consumed(octets: number): void {
    this.since = this.#owner.now;
    this.#owner.http2.consumed(this.#stream, octets);
  }

  retireConnection(): void {
    if (this.phase !== "over") this.#owner.retire();
  }

  /** More can be sent. */
  writable(): void {
    this.since = this.#owner.now;
    if (this.#rest !== undefined) this.#sendRest(this.#rest);
    else if (this.phase !== "over") this.sink?.writable();
  }

  /** Ends the stream before its time. @param code see `ERROR_CODE` */
  abort(code: number, why?: Abort): void {
    if (this.phase === "over") return;
    this.phase = "over";
    this.#owner.http2.reset(this.#stream, code);
    this.gone(why);
  }

  /** The stream is no more. */
  gone(why?: Abort): void {
    this.phase = "over";
    this.#rest = undefined;
    this.#owner.finish(this);
    if (why !== undefined) this.sink?.aborted(why);
  }

  #sendHead(status: number, fields: ReceivedFields | undefined, following: Following): void {
    BLOCK.response(status);
    if (fields !== undefined) copyFields(fields);
    this.#owner.http2.sendHead(this.#stream, BLOCK, following);
  }

  #send(
    bytes: Buffer,
    { from, to, following }: { from: number; to: number; following: Following },
  ): number {
    PIECE.bytes = bytes;
    PIECE.from = from;
    PIECE.to = to;
    PIECE.following = following;
    return this.#owner.http2.sendData(this.#stream, PIECE);
  }

  #sendRest(rest: Buffer): void {
    const taken = this.#send(rest, { from: 0, to: rest.length, following: "last" });
    this.#rest = taken < rest.length ? rest.subarray(taken) : undefined;
    if (this.#rest === undefined) this.#end();
  }

  /** What is left of the request is not needed (RFC 9113 section 8.1). */
  #end(): void {
    if (this.phase === "over") return;
    const stream = this.#stream;
    this.phase = "over";
    if (stream.isClosed) this.#owner.http2.consumed(stream, stream.unconsumed);
    else this.#owner.http2.reset(stream, ERROR_CODE.NO_ERROR);
    this.#owner.finish(this);
  }
}

function copyFields(fields: ReceivedFields): void {
  for (let index = 0; index < fields.count; index++) {
    if (fields.goesOn(index)) BLOCK.copy(fields, index);
  }
}

/** @returns false when it could not be sent as it is, and became a 500 without a word */
function fillLocal({ status, body, headers = [] }: Answer): boolean {
  try {
    BLOCK.response(status);
    BLOCK.add("content-length", String(Buffer.byteLength(body)));
    BLOCK.add("date", dateField());
    let hasType = false;
    for (let index = 0; index + 1 < headers.length; index += 2) {
      const name = headers[index]?.toLowerCase() ?? "";
      hasType ||= name === "content-type";
      BLOCK.add(name, headers[index + 1] ?? "");
    }
    if (!hasType) BLOCK.add("content-type", "text/plain");
    return true;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    BLOCK.response(500);
    BLOCK.add("content-length", "0");
    return false;
  }
}
