/** One listening socket: bounded, watched, and closed without leaving connections behind. */
import { createServer, type Server, type Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { formatAddress } from "./recorder.ts";

/** Further connections are dropped until others end. */
const MAX_CONNECTIONS = 4_096;
/** Of those, how many may have said nothing yet; then the oldest silent one makes room (PA-41). */
const MAX_SILENT = 1_024;

export interface ListenerOptions {
  /** Gets every connection, before a byte of it is read. */
  readonly serve: (socket: Socket) => void;
  readonly log: Log;
}

export class Listener {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  readonly #at: SocketAddress;

  constructor(at: SocketAddress, { serve, log }: ListenerOptions) {
    this.#at = at;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
      // Whoever serves the connection hears of its errors too; without anybody a reset would end the process.
      socket.on("error", () => socket.destroy());
      serve(socket);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("error", (error) =>
      log.error("listener failed", { at: formatAddress(at), problem: describeError(error) }),
    );
    this.#server.on("drop", () =>
      log.warn("connection dropped", { at: formatAddress(at), limit: MAX_CONNECTIONS }),
    );
  }

  /** @throws ListenError, as when another process has the port */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { address: host, port } = this.#at;
      const refuse = (cause: Error): void =>
        reject(new ListenError(`cannot listen on ${formatAddress(this.#at)}`, { cause }));
      this.#server.once("error", refuse).listen({ host, port }, () => {
        this.#server.off("error", refuse);
        resolve();
      });
    });
  }

  /** Counts a connection as silent until the returned function is called. */
  expectFirstByte(socket: Socket): () => void {
    const [oldest] = this.#silent;
    if (oldest !== undefined && this.#silent.size >= MAX_SILENT) {
      this.#silent.delete(oldest);
      oldest.destroy();
    }
    const spoken = (): void => {
      this.#silent.delete(socket);
      socket.off("close", spoken);
    };
    this.#silent.add(socket);
    socket.once("close", spoken);
    return spoken;
  }

  /** No further connections, from now on; those that are open may end within `graceMs`, and are cut then. */
  async close(graceMs: number): Promise<void> {
    for (const socket of this.#silent) socket.destroy();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const cut = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
  }
}
