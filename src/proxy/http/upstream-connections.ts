/**
 * The connections to one endpoint that one kind of request shares: in HTTP/1 as many as there are requests at a time, in
 * HTTP/2 as few as serve. Who waits for a connection is served by whichever is ready first.
 */
import { CALLER_RESERVE, type CertificateDeadlines } from "../certificate-deadlines.ts";
import { type HttpFraming, negotiatedFraming } from "../mesh-protocols.ts";
import { firstEnd } from "../peer.ts";
import { type Upstream, UpstreamConnectError } from "../upstream-dialer.ts";
import { Http1ClientConnection } from "./http1-client-connection.ts";
import { Http2ClientConnection } from "./http2-client-connection.ts";
import type { Following } from "./received-message.ts";
import type { AnswerSink, OutgoingRequest, Sending, UpstreamConnections } from "./streams.ts";
import type { ClientConnection, ConnectionKeeper } from "./upstream-connections-member.ts";
import {
  WaitingOverflowError,
  type WaitingRequest,
  WaitingRequests,
} from "./upstream-connections-waiting.ts";

/** As many as were lately needed at once may stand idle, and so many in any case. */
const FEW_IDLE = 64;
/** By which that is forgotten, at each look. */
const FORGETTING = 15 / 16;
/** What a callee is taken to allow that has not said. */
const LIKELY_STREAMS = 100;

export type Dial = () => Promise<Upstream>;

export interface ConnectionLimits {
  /** Shorter than the other end keeps an idle connection, so that we are the ones to close. */
  readonly idleMs: number;
  /** Absent: as many as come. */
  readonly maxRequestsPerConnection?: number | undefined;
  /** Absent: for as long as it serves. */
  readonly maxConnectionDurationMs?: number | undefined;
}

export interface EndpointConnectionsOptions {
  readonly dial: Dial;
  /** What is spoken where nothing is agreed on by ALPN. */
  readonly unnegotiated: HttpFraming;
  readonly limits: ConnectionLimits;
  /** For connections that stand on certificates. */
  readonly deadlines?: CertificateDeadlines | undefined;
  /** Whether there may be one more beside others; without, requests wait for those. Absent: there may. */
  readonly mayDial?: (() => boolean) | undefined;
  /** Monotonic, in milliseconds, and coarse. */
  readonly now: () => number;
  /** Called before there is a connection where there was none. */
  readonly returning?: (() => void) | undefined;
}

const SENT: Sending = { cancel: () => {} };

export class EndpointConnections implements UpstreamConnections, ConnectionKeeper {
  readonly #options: EndpointConnectionsOptions;
  readonly #waiting: WaitingRequests = new WaitingRequests();
  /** All that are there, with what forgets their deadlines. */
  readonly #all: Map<ClientConnection, () => void> = new Map();
  /** In HTTP/1: those that stand idle, the latest last. */
  readonly #idle: ClientConnection[] = [];
  /** In HTTP/2: those that take requests, now or later. */
  readonly #shared: Http2ClientConnection[] = [];
  /** So many connections were lately busy at once. */
  #busiest = 0;
  #dialling = 0;
  /** How often there was more to do than the connections that there may be could do. */
  #timesFull = 0;
  /** As the latest connection speaks. */
  #framing: HttpFraming | undefined;
  /** Requests that one connection more would serve at a time: until one has said how it speaks, it may serve all. */
  #perConnection = LIKELY_STREAMS;
  #isRetired = false;

  constructor(options: EndpointConnectionsOptions) {
    this.#options = options;
  }

  get nowMs(): number {
    return this.#options.now();
  }

  /** Connections that are there, and requests that wait for one. */
  get load(): { readonly connections: number; readonly waiting: number } {
    return { connections: this.#all.size, waiting: this.#waiting.size };
  }

  send(request: OutgoingRequest, following: Following, sink: AnswerSink): Sending {
    const connection = this.#idle.pop() ?? this.#sharedOne();
    if (connection === undefined) return this.#wait(request, following, sink);
    this.#serve(connection, { request, following, sink });
    if (connection.isIdle) this.ready(connection);
    return SENT;
  }

  dropIdle(): void {
    for (const connection of [...this.#idle]) connection.retire();
    for (const connection of [...this.#shared]) if (connection.isIdle) connection.retire();
  }

  /** Keeps no connection any more; those that carry something finish it, and what still waits is served. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of [...this.#all.keys()]) connection.retire();
  }

  /** Ends what takes too long. To be called now and then. */
  checkTime(): void {
    const { idleMs, maxConnectionDurationMs = Number.POSITIVE_INFINITY } = this.#options.limits;
    const now = this.nowMs;
    for (const connection of [...this.#all.keys()]) {
      const isOld = now - connection.bornAt >= maxConnectionDurationMs;
      const standsIdle = connection.isIdle && now - connection.idleSince >= idleMs;
      if (isOld || standsIdle) connection.retire();
    }
    for (const connection of [...this.#shared]) connection.checkSettings();
    this.#busiest = Math.max(this.#busy, Math.floor(this.#busiest * FORGETTING));
    for (const connection of this.#idle.slice(0, -this.#mostIdle)) connection.retire();
  }

  // What connections say.

  ready(connection: ClientConnection): void {
    while (connection.mayServe) {
      const next = this.#waiting.take();
      if (next === undefined) break;
      this.#serve(connection, next);
    }
    if (connection instanceof Http2ClientConnection) this.#learn(connection);
    if (!connection.isIdle) return;
    connection.idleSince = this.nowMs;
    if (this.#isRetired) connection.retire();
    else if (connection instanceof Http1ClientConnection) this.#keep(connection);
  }

  retired(connection: ClientConnection): void {
    remove(this.#idle, connection);
    remove(this.#shared, connection);
    this.#dialAsNeeded();
  }

  closed(connection: ClientConnection): void {
    this.#all.get(connection)?.();
    this.#all.delete(connection);
    this.retired(connection);
  }

  #wait(request: OutgoingRequest, following: Following, sink: AnswerSink): Sending {
    const waiting = { request, following, sink };
    if (!this.#waiting.add(waiting)) {
      sink.failed(new WaitingOverflowError());
      return SENT;
    }
    const timesFull = this.#timesFull;
    this.#dialAsNeeded();
    return {
      cancel: () => this.#waiting.remove(waiting),
      waitedForOthers: () => this.#timesFull > timesFull,
    };
  }

  #sharedOne(): Http2ClientConnection | undefined {
    for (const connection of this.#shared) if (connection.mayServe) return connection;
    return undefined;
  }

  #serve(connection: ClientConnection, { request, following, sink }: WaitingRequest): void {
    this.#busiest = Math.max(this.#busiest, this.#busy);
    connection.send(request, following, sink);
    const { maxRequestsPerConnection = Number.POSITIVE_INFINITY } = this.#options.limits;
    if (connection.served >= maxRequestsPerConnection) connection.retire();
  }

  #keep(connection: ClientConnection): void {
    if (!connection.mayServe) return;
    connection.isReused = true;
    if (this.#idle.length < this.#mostIdle) this.#idle.push(connection);
    else connection.retire();
  }

  get #busy(): number {
    return this.#all.size - this.#idle.length;
  }

  get #mostIdle(): number {
    return Math.max(FEW_IDLE, this.#busiest);
  }

  /** What one connection has been allowed, the next one will be. */
  #learn({ knowsPeer, mostStreams }: Http2ClientConnection): void {
    if (!knowsPeer) return;
    const { maxRequestsPerConnection = LIKELY_STREAMS } = this.#options.limits;
    this.#perConnection = Math.max(
      1,
      Math.min(mostStreams, maxRequestsPerConnection, LIKELY_STREAMS),
    );
    this.#dialAsNeeded();
  }

  /** Requests that connections will serve which are not there yet, or do not know yet what they may. */
  get #expected(): number {
    let beginning = this.#dialling;
    for (const { knowsPeer } of this.#shared) if (!knowsPeer) beginning++;
    return beginning * this.#perConnection;
  }

  #dialAsNeeded(): void {
    while (this.#waiting.size > this.#expected) {
      if (!this.#mayDial()) {
        if (this.#all.size > 0) this.#timesFull++;
        return;
      }
      this.#dialling++;
      this.#options.dial().then(
        (upstream) => this.#connected(upstream),
        (error: unknown) => this.#failed(error),
      );
    }
  }

  /** The first one always: no other would serve those who wait. */
  #mayDial(): boolean {
    const { mayDial } = this.#options;
    return mayDial === undefined || this.#all.size + this.#dialling === 0 || mayDial();
  }

  #connected(upstream: Upstream): void {
    if (upstream.socket.destroyed) {
      this.#failed(new UpstreamConnectError("tcp", new Error("the connection was closed at once")));
      return;
    }
    this.#dialling--;
    if (this.#all.size === 0 && !this.#isRetired) this.#options.returning?.();
    const { applicationProtocol } = upstream;
    const framing = negotiatedFraming(applicationProtocol) ?? this.#options.unnegotiated;
    if (framing !== this.#framing) this.#perConnection = framing === "HTTP/1" ? 1 : LIKELY_STREAMS;
    this.#framing = framing;
    if (framing === "HTTP/1") this.#admit(new Http1ClientConnection(upstream, this), upstream);
    else {
      const connection = new Http2ClientConnection(upstream, this);
      this.#shared.push(connection);
      this.#admit(connection, upstream);
    }
    this.#dialAsNeeded();
  }

  #admit(connection: ClientConnection, { mutualTls }: Upstream): void {
    const { deadlines } = this.#options;
    const forget =
      mutualTls &&
      deadlines?.watch(firstEnd(mutualTls.own, mutualTls.peer), CALLER_RESERVE, () =>
        connection.retire(),
      );
    this.#all.set(connection, forget ?? (() => {}));
    this.ready(connection);
  }

  /** Who has waited longest fails, as far as no other connection is on its way. */
  #failed(cause: unknown): void {
    this.#dialling--;
    const error =
      cause instanceof UpstreamConnectError ? cause : new UpstreamConnectError("tcp", cause);
    const failing = this.#waiting.takeMany(this.#waiting.size - this.#expected);
    for (const { sink } of failing) sink.failed(error);
  }
}

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
