/** A port to which the kernel leads connections that were going elsewhere: says of each where. */
import type { Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { originalDestination } from "../runtime/linux-socket.ts";
import type { Log } from "../runtime/log.ts";
import { type AcceptedConnection, acceptedConnection } from "./accepted-connection.ts";
import { formatAddress } from "./format-address.ts";
import { Listener } from "./listener.ts";
import { isWithoutIpv6 } from "./without-ipv6.ts";

export interface CapturedConnection extends AcceptedConnection {
  /** Ends the time in which the connection counts as silent; see `Listener`. */
  readonly expectFirstByte: () => () => void;
}

export interface CaptureListenerOptions {
  /** Those of IPv6 are left out where the machine has none. */
  readonly listen: readonly SocketAddress[];
  /** Why a connection to this original destination is cut. */
  readonly problemOf: (original: SocketAddress) => string | undefined;
  /** Gets every other connection; what it calls local is the original destination. */
  readonly serve: (socket: Socket, captured: CapturedConnection) => void;
  readonly log: Log;
  readonly clock: Clock;
}

export class CaptureListener {
  readonly #options: CaptureListenerOptions;
  readonly #listeners: readonly { readonly at: SocketAddress; readonly listener: Listener }[];
  readonly #cut: BoundedWarning;
  #open: readonly Listener[] = [];

  constructor(options: CaptureListenerOptions) {
    this.#options = options;
    const { listen, log } = options;
    this.#cut = new BoundedWarning(log, { message: "intercepted connection cut" });
    this.#listeners = listen.map((at) => {
      const serve = (socket: Socket): void => this.#accept(socket, listener);
      const listener = new Listener(at, { log, serve });
      return { at, listener };
    });
  }

  /** @throws ListenError; it may be called again then */
  async open(): Promise<void> {
    for (const { at, listener } of this.#listeners) {
      if (this.#open.includes(listener)) continue;
      try {
        await listener.open();
        this.#open = [...this.#open, listener];
      } catch (error) {
        if (!at.address.includes(":") || !isWithoutIpv6(error)) throw error;
        this.#options.log.info("no IPv6 here", { problem: describeError(error) });
      }
    }
  }

  async close(graceMs: number): Promise<void> {
    await Promise.all(this.#open.map((listener) => listener.close(graceMs)));
  }

  #accept(socket: Socket, listener: Listener): void {
    const { clock, problemOf, serve } = this.#options;
    const accepted = acceptedConnection(socket, clock.now());
    const original = originalDestination(socket);
    if (accepted === undefined || original === undefined) {
      this.#refuse(socket, { accepted, problem: "nobody knows where it was going" });
      return;
    }
    const problem = problemOf(original);
    if (problem === undefined) {
      const expectFirstByte = (): (() => void) => listener.expectFirstByte(socket);
      serve(socket, { ...accepted, local: original, expectFirstByte });
    } else {
      this.#refuse(socket, { accepted, original, problem });
    }
  }

  #refuse(
    socket: Socket,
    {
      accepted,
      original,
      problem,
    }: {
      readonly accepted: AcceptedConnection | undefined;
      readonly original?: SocketAddress;
      readonly problem: string;
    },
  ): void {
    socket.destroy();
    this.#cut.warn({
      problem,
      from: accepted && formatAddress(accepted.remote),
      to: original && formatAddress(original),
    });
  }
}
