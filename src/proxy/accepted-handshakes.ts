/**
 * TLS handshakes on connections that somebody else accepted. Their outcome is ours to judge and to tell: a client that
 * fails is not cut off by Node without a word.
 */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";

const HANDSHAKE_MS = 10_000;

export class AcceptedHandshakes {
  readonly #pending = new Map<string, (termination: TLSSocket | Error) => void>();

  /** One that never listens. @throws Error when its certificate or key cannot be used */
  server(options: TlsOptions): Server {
    const server = createServer({ ...options, handshakeTimeout: HANDSHAKE_MS });
    server.on("secureConnection", (socket) => {
      socket.allowHalfOpen = true;
      this.#settle(socket, socket);
    });
    server.on("tlsClientError", (error, socket) => {
      this.#settle(socket, error);
      socket.destroy();
    });
    return server;
  }

  /** @param raw with its ClientHello still unread */
  handshake(raw: Socket, server: Server): Promise<TLSSocket | Error> {
    const key = connectionKey(raw);
    if (key === undefined) return Promise.resolve(new Error("the client left"));
    // Who ends its side now will never finish the handshake; with a half-open socket nobody would notice.
    raw.allowHalfOpen = false;
    return new Promise((resolve) => {
      const onClose = (): void => settle(new Error("the client left during the handshake"));
      const settle = (outcome: TLSSocket | Error): void => {
        this.#pending.delete(key);
        raw.off("close", onClose);
        resolve(outcome);
      };
      raw.once("close", onClose);
      this.#pending.set(key, settle);
      server.emit("connection", raw);
    });
  }

  #settle(socket: TLSSocket, outcome: TLSSocket | Error): void {
    const key = connectionKey(socket);
    const settle = key === undefined ? undefined : this.#pending.get(key);
    if (settle === undefined) socket.destroy();
    else settle(outcome);
  }
}

/** The TLS socket and the one below it have nothing in common but their ends. */
function connectionKey(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
