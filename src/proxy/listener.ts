/** One listening socket: bounded, watched, and closed without leaving connections behind. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { formatAddress } from "./recorder.ts";

/** Further connections are dropped until others end. */
const MAX_CONNECTIONS = 16_384;
/** So many may wait to be accepted, where the kernel allows it. */
const BACKLOG = 4_096;
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
  readonly #log: Log;

  constructor(at: SocketAddress, { serve, log }: ListenerOptions) {
    this.#at = at;
    this.#log = log;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
      // Whoever serves the connection hears of its errors too; without anybody a reset would end the process.
      socket.on("error", () => socket.destroy());
      serve(socket);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    const dropped = new BoundedWarning(log, { message: "connection dropped" });
    this.#server.on("drop", () => dropped.warn({ at: formatAddress(at), limit: MAX_CONNECTIONS }));
  }

  /** @throws ListenError, as when another process has the port; it may be called again then */
  async open(): Promise<void> {
    const { address: host, port } = this.#at;
    const at = formatAddress(this.#at);
    try {
      const options = { host, port, backlog: BACKLOG, ipv6Only: host === "::" };
      await once(this.#server.listen(options), "listening");
    } catch (cause) {
      throw new ListenError(`cannot listen on ${at}`, { cause });
    }
    this.#server.on("error", (error) =>
      this.#log.error("listener failed", { at, problem: describeError(error) }),
    );
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
