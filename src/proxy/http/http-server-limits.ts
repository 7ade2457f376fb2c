/** How long clients may take, and what the server and its connections, of either version, know of each other. */
import { SETTINGS_TIMEOUT_MS } from "../../http/http2/limits.ts";
import type { SocketEnd } from "./socket-end.ts";
import type { RequestHandler } from "./streams.ts";

/** Milliseconds. */
export interface HttpServerLimits {
  /** For the head of one request, from its first byte on. */
  readonly headersMs: number;
  /** Between requests: longer than the idle time of our own pools, so that clients close first. */
  readonly keepAliveMs: number;
  /** Within an exchange, without a byte either way: a callee may think for long, and a WebSocket say nothing. */
  readonly exchangeMs: number;
  /** For a client to take what was said last. */
  readonly idleMs: number;
  /** For the client to close after our end: it may not yet have read all that was said. As Envoy's. */
  readonly lingerMs: number;
  /** For an HTTP/2 client to acknowledge our settings. */
  readonly settingsMs: number;
  /** How often all that is looked after. */
  readonly checkMs: number;
}

export const DEFAULT_LIMITS: HttpServerLimits = {
  headersMs: 60_000,
  keepAliveMs: 65_000,
  exchangeMs: 3_600_000,
  idleMs: 300_000,
  lingerMs: 1_000,
  settingsMs: SETTINGS_TIMEOUT_MS,
  checkMs: 1_000,
};

/** The server, as its connections see it. */
export interface ServedBy<C> {
  readonly handler: RequestHandler<C>;
  /** Milliseconds, on a clock that never goes back, and only goes on once in `checkMs`. */
  readonly now: number;
  /** The connection is gone, or somebody else's. */
  forget(connection: ServerConnection<C>): void;
}

/** A client's connection, as the server sees it. */
export interface ServerConnection<C> {
  readonly connection: C;
  readonly output: SocketEnd;
  /** It has just come, and is to end with its first request. */
  serveOnce(): void;
  /** Ends it now when it is idle, else after the answers that it waits for. */
  retire(): void;
  /** As `retire`, for a client that is trusted no more: bytes that are no HTTP any more, as of a WebSocket, end at once. */
  expel(): void;
  /** The policy has changed: see `RequestSink.judgeAgain`. */
  judgeAgain(): void;
  /** Ends what takes too long. */
  check(limits: HttpServerLimits): void;
  /** Ends it at once. */
  destroy(): void;
}
