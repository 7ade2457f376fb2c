/** Serves HTTP of either version on connections that somebody else has accepted. */
import type { Socket } from "node:net";
import {
  DEFAULT_LIMITS,
  type HttpServerLimits,
  type ServedBy,
  type ServerConnection,
} from "./http-server-limits.ts";
import { Http1ServerConnection } from "./http1-server-connection.ts";
import { Http2ServerConnection } from "./http2-server-connection.ts";
import type { RequestHandler } from "./streams.ts";

export class HttpServer<C> implements ServedBy<C> {
  readonly handler: RequestHandler<C>;
  now: number = performance.now();
  readonly #limits: HttpServerLimits;
  readonly #connections: Map<Socket, ServerConnection<C>> = new Map();
  #interval: NodeJS.Timeout | undefined;
  #isDraining = false;

  constructor(handler: RequestHandler<C>, limits: Partial<HttpServerLimits> = {}) {
    this.handler = handler;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Of connections that are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes over a socket from which nothing was read that it does not give back. */
  accept(socket: Socket, connection: C, protocol: "HTTP/1" | "HTTP/2"): void {
    // Nobody would tell us to forget it.
    if (socket.destroyed || socket.readableEnded) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    this.#watch();
    const served =
      protocol === "HTTP/1"
        ? new Http1ServerConnection(socket, connection, this)
        : new Http2ServerConnection(socket, connection, this);
    this.#connections.set(socket, served);
    if (this.#isDraining) served.serveOnce();
  }

  /** Ends a connection now when it is idle, else after the answers it is waiting for. */
  retire(socket: Socket): void {
    this.#connections.get(socket)?.retire();
  }

  /** Ends the connections of clients that are trusted no more. @param mustEnd asked of every connection that is open */
  expelWhere(mustEnd: (connection: C) => boolean): void {
    for (const served of this.#connections.values()) {
      if (mustEnd(served.connection)) served.expel();
    }
  }

  /** Whatever stands that is no request any more is judged by the newest policy. */
  judgeAgain(): void {
    for (const served of this.#connections.values()) served.judgeAgain();
  }

  /** Ends idle connections now and the others after the answers they are waiting for; new ones serve one request. */
  drain(): void {
    this.#isDraining = true;
    for (const served of this.#connections.values()) served.retire();
  }

  /** Ends all connections at once. */
  close(): void {
    this.#isDraining = true;
    for (const served of this.#connections.values()) served.destroy();
  }

  forget(served: ServerConnection<C>): void {
    this.#connections.delete(served.output.socket);
    if (this.#connections.size > 0) return;
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  /** One interval for the deadlines of all connections. */
  #watch(): void {
    if (this.#interval !== undefined) return;
    this.now = performance.now();
    this.#interval = setInterval(() => this.#check(), this.#limits.checkMs).unref();
  }

  #check(): void {
    this.now = performance.now();
    for (const served of this.#connections.values()) served.check(this.#limits);
  }
}
