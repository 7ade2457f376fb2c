/** A port of the host's loopback that leads to a Unix socket: how what runs inside is reached by those who know no such sockets. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { carryBothWays } from "./host-gate-relay.ts";
import type { ApiServerPlace } from "./host-side.ts";

const LOOPBACK = "127.0.0.1";
const MAX_CONNECTIONS = 256;

export class SocketRelay {
  readonly place: ApiServerPlace;
  readonly #server: Server;
  readonly #connections: Set<Socket>;

  private constructor(parts: {
    readonly place: ApiServerPlace;
    readonly server: Server;
    readonly connections: Set<Socket>;
  }) {
    this.place = parts.place;
    this.#server = parts.server;
    this.#connections = parts.connections;
  }

  /**
   * On any free port. Until somebody listens on the socket, connections end at once.
   *
   * @throws Error of the system
   */
  static async open(socketPath: string): Promise<SocketRelay> {
    const connections = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const inside = connect({ path: socketPath, allowHalfOpen: true });
      for (const socket of [client, inside]) {
        connections.add(socket);
        socket.once("close", () => connections.delete(socket));
      }
      void carryBothWays(client, inside);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    return new SocketRelay({ place: { port, socketPath }, server, connections });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }
}
