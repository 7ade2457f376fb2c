/** The HTTP/1.1 server side of the data path: the one place that knows node:http as a server. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describeError } from "../runtime/hauberk-error.ts";
import {
  type Answer,
  type Exchange,
  type Outcome,
  type RequestHead,
  type Route,
  refusal,
} from "./exchange.ts";
import { forwardRequest } from "./http-forwarding.ts";
import { answer, MAX_HEADER_BYTES } from "./local-answer.ts";

/** What one side of the sidecar does with requests. `C` is what it knows of a connection, `E` of a request. */
export interface HttpService<C, E extends Exchange> {
  /** Decides, synchronously, what becomes of a request. */
  judge(head: RequestHead, connection: C): Judged<E>;
  /** Hears of every exchange once, when it is over. */
  record(exchange: E, outcome: Outcome, connection: C): void;
  /** Hears of bytes that are no request; the connection is answered with `status`, if at all, and closed. */
  recordBroken(problem: string, status: number | null, connection: C): void;
  /** Takes over a connection on which a tunnel is asked for. Absent: CONNECT is answered with 405. */
  tunnel?(socket: Socket, connection: C, request: ConnectRequest): void;
}

/** "reset": the connection ends without a byte. */
export interface Judged<E extends Exchange> {
  readonly exchange: E;
  readonly verdict: Answer | "reset" | { readonly route: Route };
  /** Whether the connection may serve further requests. */
  readonly afterwards: "keep" | "close";
}

export interface ConnectRequest {
  readonly head: RequestHead;
  /** What the client sent after it. */
  readonly rest: Buffer;
}

export interface HttpFrontLimits {
  /** How long the headers of one request may take. */
  readonly headersMs: number;
  /** How often that is looked after. */
  readonly checkMs: number;
}

const LIMITS: HttpFrontLimits = { headersMs: 60_000, checkMs: 5_000 };
/** Longer than the idle time of our own pool: the client closes first. */
const KEEP_ALIVE_MS = 65_000;
/** Without a byte either way, as Envoy's stream idle timeout. */
const IDLE_MS = 300_000;
/** Requests that one connection may have sent without waiting for their answers. */
const MAX_PIPELINED = 64;

interface Served<C> {
  readonly socket: Socket;
  readonly connection: C;
  /** Of requests whose answer is not complete. */
  readonly responses: Set<ServerResponse>;
  /** "ending": no further request is served. "broken": nothing that comes can be read. */
  phase: "open" | "ending" | "broken";
}

export class HttpFront<C, E extends Exchange> {
  readonly #service: HttpService<C, E>;
  readonly #server: Server;
  readonly #served = new Map<Duplex, Served<C>>();
  #draining = false;

  constructor(service: HttpService<C, E>, { headersMs, checkMs }: HttpFrontLimits = LIMITS) {
    this.#service = service;
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: checkMs,
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: true,
    });
    this.#server.timeout = IDLE_MS;
    this.#server.maxHeadersCount = 0;
    this.#server.on("request", (incoming, response) => this.#serve(incoming, response));
    this.#server.on("checkContinue", (incoming, response) => this.#serve(incoming, response));
    this.#server.on("checkExpectation", (incoming, response) => this.#serve(incoming, response));
    this.#server.on("connect", (incoming, socket, rest) => this.#connect(incoming, socket, rest));
    this.#server.on("clientError", (error, socket) => this.#refuseBroken(error, socket));
    // It never listens itself, but only then does it watch over the time that headers may take.
    this.#server.emit("listening");
  }

  /** Serves requests on a connection that somebody else accepted. */
  accept(socket: Socket, connection: C): void {
    if (socket.closed) return; // nobody would tell us to forget it
    const served: Served<C> = { socket, connection, responses: new Set(), phase: "open" };
    this.#served.set(socket, served);
    this.#server.emit("connection", socket);
    socket.once("close", () => {
      this.#served.delete(socket);
      endUnsent(served.responses);
    });
  }

  /** Closes a connection now when it is idle, else after the answers it is waiting for. */
  retire(socket: Socket): void {
    const served = this.#served.get(socket);
    if (served === undefined || served.phase === "broken") return;
    served.phase = "ending";
    const last = [...served.responses].at(-1);
    if (last === undefined) {
      socket.end();
      return;
    }
    last.shouldKeepAlive = false;
    last.once("close", () => socket.end()); // its head may have promised more already
  }

  /** @param mustEnd of every connection that is open */
  retireWhere(mustEnd: (connection: C) => boolean): void {
    for (const { socket, connection } of this.#served.values()) {
      if (mustEnd(connection)) this.retire(socket);
    }
  }

  /** Closes idle connections now and the others after the answer they are waiting for. */
  drain(): void {
    this.#draining = true;
    this.#server.close();
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const served = this.#served.get(incoming.socket);
    if (served === undefined) {
      incoming.socket.destroy();
      return;
    }
    const { connection, responses, phase } = served;
    if (phase !== "open") return;
    if (responses.size >= MAX_PIPELINED) {
      served.phase = "broken";
      incoming.socket.destroy();
      this.#service.recordBroken("too many pipelined requests", null, connection);
      return;
    }
    responses.add(response);
    response.once("close", () => responses.delete(response));
    const judged = this.#judge(incoming, connection);
    if (judged === undefined) {
      answer(incoming, response, refusal(500, "the request could not be judged"));
      return;
    }
    const { exchange, verdict, afterwards } = judged;
    const mayStay = afterwards === "keep" && !this.#draining && !endsWithAnswer(incoming, verdict);
    if (!mayStay) {
      served.phase = "ending";
      response.shouldKeepAlive = false;
    }
    if (verdict === "reset") {
      incoming.socket.destroy();
      this.#service.record(exchange, RESET, connection);
    } else if ("route" in verdict) {
      void forwardRequest(incoming, response, { exchange, route: verdict.route }).then((outcome) =>
        this.#service.record(exchange, outcome, connection),
      );
    } else {
      response.once("close", () =>
        this.#service.record(exchange, localOutcome(verdict, response), connection),
      );
      answer(incoming, response, verdict);
    }
  }

  /** A request that makes us fail must not let anybody through, nor end the process. */
  #judge(incoming: IncomingMessage, connection: C): Judged<E> | undefined {
    try {
      return this.#service.judge(headOf(incoming), connection);
    } catch (error) {
      this.#service.recordBroken(describeError(error), 500, connection);
      return undefined;
    }
  }

  #connect(incoming: IncomingMessage, socket: Duplex, rest: Buffer): void {
    const served = this.#served.get(socket);
    if (served === undefined || served.responses.size > 0) socket.destroy();
    else if (this.#service.tunnel === undefined) {
      this.#end(socket, 405);
      this.#service.recordBroken("CONNECT is not served", 405, served.connection);
    } else {
      this.#service.tunnel(incoming.socket, served.connection, { head: headOf(incoming), rest });
    }
  }

  #refuseBroken(error: Error & { readonly code?: string }, socket: Duplex): void {
    const served = this.#served.get(socket);
    if (served?.phase === "broken") return;
    if (served === undefined || socket.destroyed || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const { phase } = served;
    served.phase = "broken";
    const status = statusOf(error);
    const last = [...served.responses].at(-1);
    if (last === undefined) {
      this.#end(socket, status);
      this.#service.recordBroken(error.message, status, served.connection);
    } else if (last.req.complete) {
      last.shouldKeepAlive = false;
      last.once("close", () => socket.destroy());
      if (phase === "open") this.#service.recordBroken(error.message, null, served.connection);
    } else if (served.responses.size > 1 || last.headersSent) {
      socket.destroy();
    } else {
      last.shouldKeepAlive = false;
      answer(last.req, last, refusal(status, "the body is malformed"));
    }
  }

  #end(socket: Duplex, status: number): void {
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      () => socket.destroy(),
    );
  }
}

const RESET: Outcome = {
  status: null,
  flags: "NR",
  details: "filter_chain_not_found",
  bytesReceived: 0,
  bytesSent: 0,
};

/** Node tells no end to answers that wait behind others on a connection that has closed. */
function endUnsent(responses: Iterable<ServerResponse>): void {
  for (const response of responses) {
    response.destroy();
    response.emit("close");
  }
}

/**
 * Whether nothing that follows on the connection can be read for sure: Node loses what came right behind an upgrade that
 * is not honoured, who was not told to continue may leave the body out, and where a body ends whose coding was refused is
 * anybody's guess (RFC 9112 section 6.1).
 */
function endsWithAnswer(incoming: IncomingMessage, verdict: Judged<Exchange>["verdict"]): boolean {
  const { expect, upgrade } = incoming.headers;
  if (upgrade !== undefined) return true;
  const served = typeof verdict === "object" && "route" in verdict;
  return !served && (expect !== undefined || hasOtherCoding(incoming));
}

/** Than `chunked` in HTTP/1.1. */
function hasOtherCoding({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  return coding !== undefined && (httpVersion !== "1.1" || coding.toLowerCase() !== "chunked");
}

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): RequestHead {
  return { method: method ?? "", target: url ?? "", version: httpVersion, rawHeaders };
}

function localOutcome({ flags, details, body }: Answer, response: ServerResponse): Outcome {
  return {
    status: response.statusCode,
    flags,
    details,
    bytesReceived: 0,
    bytesSent: Buffer.byteLength(body),
  };
}

function statusOf({ code }: { readonly code?: string }): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}
