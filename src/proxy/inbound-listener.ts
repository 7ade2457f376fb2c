/** One inbound port with a listener of its own. */
import type { Socket } from "node:net";
import type { InboundPort } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { acceptedConnection } from "./accepted-connection.ts";
import type { InboundReception } from "./inbound-reception.ts";
import { Listener } from "./listener.ts";

export interface InboundListenerOptions {
  readonly reception: Pick<InboundReception, "receive">;
  readonly log: Log;
  readonly clock: Clock;
}

export class InboundListener {
  readonly #options: InboundListenerOptions;
  readonly #listener: Listener;
  #port: InboundPort;

  constructor(port: InboundPort, options: InboundListenerOptions) {
    this.#port = port;
    this.#options = options;
    this.#listener = new Listener(port.listen, {
      log: options.log,
      serve: (socket) => this.#serve(socket),
    });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  close(graceMs: number): Promise<void> {
    return this.#listener.close(graceMs);
  }

  /** Settings for connections, and for requests on those that are open, from now on. */
  update(port: InboundPort): void {
    this.#port = port;
  }

  #serve(socket: Socket): void {
    const accepted = acceptedConnection(socket, this.#options.clock.now());
    if (accepted === undefined) {
      socket.destroy();
      return;
    }
    this.#options.reception.receive(socket, {
      accepted,
      port: () => this.#port,
      expectFirstByte: () => this.#listener.expectFirstByte(socket),
    });
  }
}
