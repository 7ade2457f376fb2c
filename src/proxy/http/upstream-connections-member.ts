/** What a set of connections to one endpoint knows of each of its members, whichever version of HTTP it speaks. */
import { UpstreamConnectError } from "../upstream-dialer.ts";
import type { Following } from "./received-message.ts";
import type { AnswerSink, OutgoingRequest } from "./streams.ts";

export interface ClientConnection {
  /** Whether `send` may be called now. */
  readonly mayServe: boolean;
  /** Whether it carries nothing. */
  readonly isIdle: boolean;
  /** Requests that it has been given so far. */
  readonly served: number;
  /** Whether the other end may have closed it while it stood idle. */
  isReused: boolean;
  /** By the keeper's clock; only of one that is idle. */
  idleSince: number;
  /** By the keeper's clock. */
  readonly bornAt: number;
  /** If the request cannot be written, the sink is told so, and the connection is as it was. */
  send(request: OutgoingRequest, following: Following, sink: AnswerSink): void;
  /** Serves no further request, finishes what it carries, and closes. */
  retire(): void;
}

/** Who keeps connections. */
export interface ConnectionKeeper {
  /** Monotonic, in milliseconds, and coarse. */
  readonly nowMs: number;
  /** It may serve another request now, or has nothing to carry any more. */
  ready(connection: ClientConnection): void;
  /** It serves no further request, though it may still carry some. */
  retired(connection: ClientConnection): void;
  /** It is gone. */
  closed(connection: ClientConnection): void;
}

/**
 * A request that no byte of was sent, nor can be: something in it would break the rules of the version it is to go by. That
 * says nothing of the endpoint.
 */
export class UnsendableRequestError extends UpstreamConnectError {
  constructor(cause: unknown) {
    super("tcp", cause);
  }
}

export function unsendable(cause: unknown): UpstreamConnectError {
  return new UnsendableRequestError(cause);
}
