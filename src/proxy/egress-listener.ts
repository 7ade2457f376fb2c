/**
 * Where connections for addresses outside the mesh arrive, whatever address they were meant for. Each goes on to the host
 * side, which alone can reach the outside and decides what of it may be reached.
 */
import type { Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log, LogFields } from "../runtime/log.ts";
import { connectOutside } from "../runtime/outside-connection.ts";
import type { ClientQuota } from "./client-quota.ts";
import { formatAddress } from "./format-address.ts";
import { Listener } from "./listener.ts";
import { relay } from "./tcp-relay.ts";

const CLOSE_GRACE_MS = 0;

export interface EgressListenerOptions {
  readonly listen: SocketAddress;
  readonly egressSocket: string;
  /** Where a connection was going before it was led here. */
  readonly originalDestination: (socket: Socket) => SocketAddress | undefined;
  /** Of connections, by the caller's address; all listeners of a gateway may share one. */
  readonly quota: ClientQuota;
  readonly log: Log;
}

export class EgressListener {
  readonly #options: EgressListenerOptions;
  readonly #listener: Listener;
  readonly #refused: BoundedWarning;

  constructor(options: EgressListenerOptions) {
    const { listen, log } = options;
    this.#options = options;
    this.#refused = new BoundedWarning(log, { message: "no connection to the outside" });
    this.#listener = new Listener(listen, { serve: (client) => void this.#serve(client), log });
  }

  /** @throws ListenError */
  open(): Promise<void> {
    return this.#listener.open();
  }

  close(): Promise<void> {
    return this.#listener.close(CLOSE_GRACE_MS);
  }

  async #serve(client: Socket): Promise<void> {
    const { originalDestination, egressSocket, quota } = this.#options;
    const from = client.remoteAddress ?? "";
    if (quota.take(from) === "spent")
      return this.#refuse(client, { from, problem: "too many at once" });
    const left = new AbortController();
    client.once("close", () => {
      quota.giveBack(from);
      left.abort();
    });
    const target = originalDestination(client);
    if (target === undefined || isOwnEnd(client, target)) {
      return this.#refuse(client, {
        from,
        problem: "it was not led here: it calls the gateway itself",
      });
    }
    try {
      const upstream = await connectOutside(target, { egressSocket, signal: left.signal });
      await relay(client, upstream, { head: Buffer.alloc(0) });
    } catch (error) {
      const fields = { from, to: formatAddress(target), problem: describeError(error) };
      if (!left.signal.aborted) this.#refuse(client, fields);
    }
  }

  /** A caller that cannot be served is reset, as by an address where nobody listens. */
  #refuse(client: Socket, fields: LogFields): void {
    this.#refused.warn(fields);
    client.resetAndDestroy();
  }
}

/** Carrying such a connection on would lead it here again, without end. */
function isOwnEnd({ localAddress, localPort }: Socket, { address, port }: SocketAddress): boolean {
  return port === localPort && address === localAddress;
}
