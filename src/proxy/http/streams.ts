/**
 * One exchange as its two ends see it: `ServerStream` towards the client, `ClientStream` towards the callee. HTTP/1 and
 * HTTP/2 connections implement both alike, so that any pair of versions can be joined.
 *
 * Bytes in callbacks are lent: who wants to keep them copies them before it returns. Body octets that were given must be
 * given back by `consumed`, at once or later: that is the back-pressure. Nothing here throws for what a stranger does.
 */
import type { Socket } from "node:net";
import type { Answer } from "../exchange.ts";
import type { UpstreamConnectError, UpstreamEnds } from "../upstream-dialer.ts";
import type { HeldFields } from "./held-fields.ts";
import type {
  Abort,
  Following,
  HttpProtocol,
  ReceivedAnswer,
  ReceivedFields,
  ReceivedRequest,
} from "./received-message.ts";

/** What a head says that goes to a client: of a callee's answer. */
export interface OutgoingAnswer {
  readonly status: number;
  /** Only those that go on are written. */
  readonly fields: ReceivedFields;
  readonly contentLength: number;
}

/** The client's end. Verbs do nothing once the exchange is over. */
export interface ServerStream {
  readonly protocol: HttpProtocol;
  /** 100 to 199 but for 101; a client of HTTP/1.0 is spared them. */
  interim(status: number, fields?: ReceivedFields): void;
  /** Once. @param following "last": there is no body */
  head(answer: OutgoingAnswer, following: Following): void;
  /** After the head of an answer that switches: what follows are bytes, both ways, until either side ends. */
  switchProtocols(answer: OutgoingAnswer): void;
  /** @returns how many octets were taken; if fewer, `RequestSink.writable` follows. The last piece may be empty */
  data(bytes: Buffer, from: number, to: number, following: Following): number;
  /** Ends the body; all of it must have been taken. A client that is not spoken to in chunks is spared them. */
  trailers(fields: ReceivedFields): void;
  /** An answer of our own in place of a head. What is left of the request is read over, or the connection ends with it. */
  answer(answer: Answer): void;
  /** Ends the exchange without a proper end: the client must not take what it has for complete. */
  reset(): void;
  /** The owner has passed on, or thrown away, so many octets of the request's body. */
  consumed(octets: number): void;
  /** The connection takes no further request: a closing answer, or a GOAWAY. */
  retireConnection(): void;
  /**
   * Of a CONNECT over HTTP/1, before any answer: the exchange is over, and the socket is the caller's, paused, with all that
   * came behind the request still to be read from it. Undefined of any other request.
   */
  detach?(): Socket | undefined;
}

/** Who serves one request: hears what else comes of it, each in order, until `aborted` or the last piece. */
export interface RequestSink {
  data(bytes: Buffer, from: number, to: number, following: Following): void;
  trailers(fields: ReceivedFields): void;
  /** Nothing more comes. After "malformed" an answer can still be given, if none was begun; otherwise nobody hears. */
  aborted(why: Abort): void;
  /** More can be sent, after `data` took less than it was given. */
  writable(): void;
  /** The policy has changed: what is under way may have to end, a WebSocket at once, a request that takes long a little later. */
  judgeAgain?(): void;
  /** The answer's last octet was handed to the socket, or never will be. Called once, the last of all. */
  finished(): void;
}

/** What a server of HTTP does with requests. `C` is what is known of a connection. */
export interface RequestHandler<C> {
  /** Decides, synchronously, what becomes of a request. @param following "last": it has no body */
  request(arrived: ArrivedRequest<C>): RequestSink;
  /** Bytes that are no request; the connection is answered with `status`, if at all, and closed. */
  broken(problem: BrokenRequest, connection: C): void;
}

export interface ArrivedRequest<C> {
  readonly stream: ServerStream;
  /** Valid until `request` returns. */
  readonly request: ReceivedRequest;
  /** "last": it has no body. "more" also of a CONNECT or WebSocket request: bytes follow if its answer switches. */
  readonly following: Following;
  readonly connection: C;
}

export interface BrokenRequest {
  readonly protocol: HttpProtocol;
  /** Stable code: `http1.no_host`, `http2.protocol_error`. */
  readonly details: string;
  /** Null: nothing could be answered. */
  readonly status: number | null;
}

/** A request on its way to a callee. */
export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  /** Undefined only of a client that spoke HTTP/1.0 and named nobody. */
  readonly authority: string | undefined;
  readonly scheme: "http" | "https";
  /** Those that go on are written. They stay as they are until the answer's head has come, or all is over. */
  readonly fields: HeldFields;
  /** Octets of the body; -1 when nothing was said. */
  readonly contentLength: number;
  /** What the client would like to speak next; absent: HTTP. Such a request needs a connection of its own. */
  readonly upgrade?: "websocket" | "tunnel" | undefined;
}

/** The callee's end. Verbs do nothing once the exchange is over. */
export interface ClientStream {
  /** Of the connection that it went out by. */
  readonly ends: UpstreamEnds;
  /** Whether the connection has carried a request before: it may have been closed when ours came. */
  readonly isReused: boolean;
  /** @returns how many octets were taken; if fewer, `AnswerSink.writable` follows. The last piece may be empty */
  data(bytes: Buffer, from: number, to: number, following: Following): number;
  trailers(fields: ReceivedFields): void;
  /** The owner has passed on, or thrown away, so many octets of the answer's body. */
  consumed(octets: number): void;
  /** Nobody wants the answer any more; the sink hears nothing more. */
  reset(): void;
}

/** Who waits for one answer. Exactly one of `failed` and `sent` comes first, perhaps before `send` returns. */
export interface AnswerSink {
  /** No connection, and so no byte was sent. */
  failed(error: UpstreamConnectError): void;
  /** The head is on its way; a body may follow. */
  sent(stream: ClientStream): void;
  /** 100 to 199 but for 101. */
  interim(answer: ReceivedAnswer): void;
  head(answer: ReceivedAnswer, following: Following): void;
  data(bytes: Buffer, from: number, to: number, following: Following): void;
  trailers(fields: ReceivedFields): void;
  aborted(why: Abort): void;
  /** More can be sent, after `data` took less than it was given. */
  writable(): void;
}

/** Connections to one endpoint that one kind of request may share. */
export interface UpstreamConnections {
  /** Sends a head by a connection that is there, or by one that is dialled for it. */
  send(request: OutgoingRequest, following: Following, sink: AnswerSink): Sending;
  /** Ends those that wait for a request: one of them turned out to be dead, and others will be too. */
  dropIdle(): void;
}

/** A request that may still wait for its connection. */
export interface Sending {
  /** Its sink hears nothing more, unless it was sent already: then `ClientStream.reset` is the way. */
  cancel(): void;
  /** Whether, while it waited, all connections were taken and no further one could be dialled. Absent: it did not wait. */
  waitedForOthers?(): boolean;
}
