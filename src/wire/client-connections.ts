/**
 * Who may hold how many connections to a port that anybody can reach. Three rooms: handshakes, callers without a
 * certificate, and callers with a verified one, whom no crowd of strangers can push out.
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { type ConnectionPlace, ConnectionRoom } from "../runtime/connection-room.ts";
import type { Log } from "../runtime/log.ts";

export interface ConnectionLimits {
  /** Whose TLS handshake is under way. */
  readonly handshakes: number;
  /** Without a client certificate. */
  readonly strangers: number;
  /** With one that was verified. */
  readonly verified: number;
  /** A stranger's connection without a call that was answered well is closed after this, whatever else is open on it. */
  readonly strangerIdleMs: number;
  /** How long the one request of a call, or the first of a stream, may take to come. */
  readonly requestMs: number;
}

/**
 * A sidecar that has no certificate yet needs its connection for one call. 2,000 of them at once, as after a power cut,
 * find room; a request is one packet or two.
 */
export const CONNECTION_LIMITS: ConnectionLimits = {
  handshakes: 2_048,
  strangers: 2_048,
  verified: 4_096,
  strangerIdleMs: 60_000,
  requestMs: 10_000,
};

/** A connection after its handshake. */
export interface ClientConnection {
  readonly kind: "stranger" | "verified";
  readonly socket: Socket;
  readonly place: ConnectionPlace;
}

export class ClientConnections {
  readonly limits: ConnectionLimits;
  readonly #handshakes: ConnectionRoom;
  readonly #strangers: ConnectionRoom;
  readonly #verified: ConnectionRoom;
  readonly #shaking: Map<string, ConnectionPlace> = new Map();
  readonly #open: Map<string, ClientConnection> = new Map();
  readonly #sweep: NodeJS.Timeout;

  constructor(limits: ConnectionLimits, log: Log) {
    this.limits = limits;
    const room = (size: number, kind: string): ConnectionRoom => {
      const message = `connection given up: too many ${kind}`;
      const warning = new BoundedWarning(log, { message });
      const tell = (socket: Socket): void => warning.warn({ remote: remoteOf(socket) });
      return new ConnectionRoom({ size, onMadeRoom: tell });
    };
    this.#handshakes = room(limits.handshakes, "have not finished their handshake");
    this.#strangers = room(limits.strangers, "have no certificate, or are idle without one");
    this.#verified = room(limits.verified, "are open with a certificate");
    const closeIdle = (): void =>
      this.#strangers.closeIdleSince(performance.now() - limits.strangerIdleMs);
    this.#sweep = setInterval(closeIdle, limits.strangerIdleMs / 12).unref();
  }

  /** A connection, before its first byte. */
  arrived(socket: Socket): void {
    const remote = remoteOf(socket);
    const place = this.#handshakes.enter(socket, groupOf(socket.remoteAddress));
    if (place === undefined) return;
    this.#shaking.set(remote, place);
    socket.once("close", () => this.#handshakeOver(remote, place));
  }

  /** The handshake is over, and the certificate, if there is one, was verified. @returns undefined when there is no room */
  welcome(socket: TLSSocket, certificate?: X509Certificate): ClientConnection | undefined {
    const remote = remoteOf(socket);
    const shaking = this.#shaking.get(remote);
    if (shaking !== undefined) this.#handshakeOver(remote, shaking);
    const isVerified = certificate !== undefined;
    const place = isVerified
      ? this.#verified.enter(socket, certificate.subjectAltName)
      : this.#strangers.enter(socket, groupOf(socket.remoteAddress));
    if (place === undefined) return undefined;
    const connection = { kind: isVerified ? "verified" : "stranger", socket, place } as const;
    this.#open.set(remote, connection);
    socket.once("close", () => {
      if (this.#open.get(remote) === connection) this.#open.delete(remote);
    });
    return connection;
  }

  /** @param remote `address:port` */
  find(remote: string): ClientConnection | undefined {
    return this.#open.get(remote);
  }

  /** Nobody waits for handshakes that others do not finish. */
  close(): void {
    clearInterval(this.#sweep);
    this.#handshakes.closeIdleSince(Number.POSITIVE_INFINITY);
  }

  #handshakeOver(remote: string, place: ConnectionPlace): void {
    place.leave();
    if (this.#shaking.get(remote) === place) this.#shaking.delete(remote);
  }
}

/** On loopback a program takes whichever address it likes: there an address tells nobody apart. */
export function groupOf(address = "gone"): string {
  const isLoopback = address === "::1" || /^(::ffff:)?127\./.test(address);
  return isLoopback ? "loopback" : address;
}

export function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? "gone"}:${socket.remotePort ?? 0}`;
}
