/**
 * TLS under a server of HTTP, so that a connection is known by both its sides: the server of HTTPS does not tell which
 * connection a request came over, and those of a Unix socket have no address to tell them by.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";

/**
 * What connects to `server` is secured first. The server's time for headers counts from the first byte of the handshake.
 *
 * @param enter hears of each connection, and of what will be spoken over it
 */
export function secureConnections(
  server: Server,
  secureContext: SecureContext,
  enter: (socket: Socket, secured: Socket) => void,
): void {
  const serve = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const ALPNProtocols = ["http/1.1"];
    const secured = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols });
    for (const one of [socket, secured]) one.on("error", () => one.destroy());
    enter(socket, secured);
    if (!socket.destroyed) for (const one of serve) one.call(server, secured);
  });
}
