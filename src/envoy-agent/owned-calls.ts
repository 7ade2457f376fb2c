/**
 * The ports of loopback on which the pod's application calls others, where all pods share it. Whoever gets through to Envoy
 * speaks with the pod's identity, and Envoy does not know whose a connection is: so the agent holds the ports, serves the
 * pod's own processes alone, and leads them to Envoy's sockets in its own folder.
 */
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../policy/workload.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { acceptedConnection } from "../proxy/accepted-connection.ts";
import { formatAddress } from "../proxy/format-address.ts";
import { Listener } from "../proxy/listener.ts";
import { relay } from "../proxy/tcp-relay.ts";
import type { Ownership, WorkloadOwnership } from "../proxy/workload-ownership.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import { connectUnixSocket } from "../runtime/connect-unix-socket.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { CALLS_FOLDER } from "./agent-places.ts";
import type { TellForeign } from "./foreign-calls.ts";

export interface OwnedCallsOptions {
  /** The agent's. */
  readonly folder: string;
  /** Absent where this system does not tell whose a connection is: then no port is opened. */
  readonly ownership: Pick<WorkloadOwnership, "of"> | undefined;
  /** Hears of connections that are not the pod's own. */
  readonly onForeign?: TellForeign | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

const CUT_AFTER_MS = 5_000;
const TRY_AGAIN_MS = 50;
const PATIENCE_MS = 2_000;

export class OwnedCalls {
  readonly #options: OwnedCallsOptions;
  readonly #refused: BoundedWarning;
  readonly #open = new Set<Socket>();
  /** By `address:port`. */
  readonly #listeners = new Map<string, Listener>();
  /** Changes are carried out one after the other. */
  #changes: Promise<void> = Promise.resolve();

  constructor(options: OwnedCallsOptions) {
    this.#options = options;
    this.#refused = new BoundedWarning(options.log, { message: "foreign process refused" });
    if (options.ownership === undefined)
      options.log.warn(
        "outbound ports stay closed: this system does not tell who owns a connection",
      );
  }

  /** Opens the ports of a view, and closes those that it has no more. @throws ListenError */
  apply(view: WorkloadView): Promise<void> {
    const wanted = this.#options.ownership === undefined ? [] : calledPorts(view);
    const changed = this.#changes.then(() => this.#follow(wanted));
    this.#changes = changed.catch(() => undefined); // told to whoever asked for it
    return changed;
  }

  /** Ends connections that are open. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** No further connections; resolves when those that are open have ended. */
  async close(): Promise<void> {
    const closed = this.#changes.then(() => this.#follow([]));
    this.#changes = closed;
    await closed;
  }

  async #follow(wanted: readonly SocketAddress[]): Promise<void> {
    const keys = new Set(wanted.map(formatAddress));
    const closing = [...this.#listeners].filter(([key]) => !keys.has(key));
    for (const [key] of closing) this.#listeners.delete(key);
    const closed = closing.map(([, listener]) => listener.close(CUT_AFTER_MS));
    for (const at of wanted) {
      const key = formatAddress(at);
      if (this.#listeners.has(key)) continue;
      const serve = (socket: Socket): void => this.#accept(socket, at);
      const listener = new Listener(at, { serve, log: this.#options.log });
      await listener.open();
      this.#listeners.set(key, listener);
    }
    if (wanted.length === 0) await Promise.all(closed);
  }

  #accept(socket: Socket, at: SocketAddress): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    this.#admit(socket, at).catch((error: unknown) => {
      this.#options.log.error("outbound connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  async #admit(socket: Socket, at: SocketAddress): Promise<void> {
    const { ownership, folder, clock } = this.#options;
    const accepted = acceptedConnection(socket, clock.now());
    const owner: Ownership["owner"] | undefined =
      accepted && ownership && (await this.#ownerOf(accepted, at));
    if (owner !== "own-workload") {
      socket.destroy();
      return;
    }
    const envoy = await connectSoon(join(folder, CALLS_FOLDER, socketName(at)));
    await relay(socket, envoy, { head: Buffer.alloc(0), idleMs: 0 });
  }

  async #ownerOf(
    accepted: Parameters<WorkloadOwnership["of"]>[0],
    at: SocketAddress,
  ): Promise<Ownership["owner"] | undefined> {
    const found = await this.#options.ownership?.of(accepted);
    if (found?.owner === "foreign") {
      this.#options.onForeign?.(accepted, found.problem);
      this.#refused.warn({
        from: formatAddress(accepted.remote),
        listener: formatAddress(at),
        problem: found.problem,
        processId: found.process?.processId,
        command: found.process?.command,
      });
    }
    return found?.owner;
  }
}

/** A port and Envoy's socket for it are told on two ways: one may come a moment later. @throws Error */
async function connectSoon(path: string): Promise<Socket> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      const socket = connectUnixSocket(path);
      await once(socket, "connect");
      return socket;
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await delay(TRY_AGAIN_MS);
    }
  }
}

/** Of Envoy's socket for a port: `127.0.0.1_15432`. */
function socketName({ address, port }: SocketAddress): string {
  return `${address}_${port}`;
}

function calledPorts({ outbound: { destinations } }: WorkloadView): readonly SocketAddress[] {
  return destinations.flatMap(({ listen }) => listen ?? []);
}
