/** One listening socket: bounded, watched, and closed without leaving connections behind. */
import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { duplicateListening, LinuxSocketError } from "../runtime/linux-socket.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { formatAddress } from "./format-address.ts";
import { workerPlace } from "./workers/worker-place.ts";

/** Further connections are dropped until others end. */
const MAX_CONNECTIONS = 16_384;
/** So many may wait to be accepted, where the kernel allows it. */
const BACKLOG = 4_096;
/**
 * Node accepts one connection a turn of the event loop from each descriptor (libuv since 1.45). A turn of a busy sidecar
 * takes ten milliseconds: whoever came with a hundred others in a second would wait ever longer. Several processes that
 * share a port share this, too, so that one of them does not take all that come at once.
 */
const ACCEPTED_PER_TURN = 8;
/** Of those, how many may have said nothing yet; then the oldest silent one makes room (PA-41). */
const MAX_SILENT = 1_024;

export interface ListenerOptions {
  /** Gets every connection, before a byte of it is read. */
  readonly serve: (socket: Socket) => void;
  readonly log: Log;
}

export class Listener {
  readonly #server: Server;
  /** They accept from the same socket. */
  readonly #others: Server[] = [];
  readonly #serve: (socket: Socket) => void;
  readonly #open = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  readonly #at: SocketAddress;
  readonly #log: Log;

  constructor(at: SocketAddress, { serve, log }: ListenerOptions) {
    this.#at = at;
    this.#log = log;
    const dropped = new BoundedWarning(log, { message: "connection dropped" });
    this.#serve = (socket) => {
      // Whoever serves the connection hears of its errors too; without anybody a reset would end the process.
      socket.on("error", () => socket.destroy());
      if (this.#open.size >= MAX_CONNECTIONS) {
        socket.destroy();
        dropped.warn({ at: formatAddress(at), limit: MAX_CONNECTIONS });
        return;
      }
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
      serve(socket);
    };
    this.#server = createServer(ACCEPTING, this.#serve);
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
    const onError = (error: Error): void =>
      this.#log.error("listener failed", { at, problem: describeError(error) });
    this.#server.on("error", onError);
    const share = Math.ceil(ACCEPTED_PER_TURN / (workerPlace()?.of ?? 1));
    for (let count = 1; count < share; count++) {
      const descriptor = duplicate(this.#server);
      if (descriptor === undefined) break;
      const other = createServer(ACCEPTING, this.#serve).on("error", onError);
      this.#others.push(other.listen(ownHandle(descriptor), BACKLOG));
    }
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
    const servers = [this.#server, ...this.#others.splice(0)];
    const closed = Promise.all(
      servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    const cut = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
  }
}

const ACCEPTING = { allowHalfOpen: true, noDelay: true };

/** A worker would ask whoever holds the ports for a descriptor, and get one of that process's. */
function ownHandle(descriptor: number): Socket {
  return new Socket({ fd: descriptor, readable: false, writable: false });
}

/** @returns undefined where there is none: connections are accepted as Node does it */
function duplicate(server: Server): number | undefined {
  try {
    return duplicateListening(server);
  } catch (error) {
    if (error instanceof LinuxSocketError) return undefined;
    throw error;
  }
}
