/** One plain listener for one destination: serves the pod's own processes and refuses everybody else. */
import type { Socket } from "node:net";
import type { SocketAddress } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type AcceptedConnection, acceptedConnection } from "./accepted-connection.ts";
import type { ForeignRefusals } from "./foreign-refusals.ts";
import { Listener } from "./listener.ts";
import { type DestinationName, outboundCluster } from "./outbound-call.ts";
import type { CallFacts } from "./recorder.ts";
import type { Ownership } from "./workload-ownership.ts";

export interface OutboundListenerOptions {
  readonly listen: SocketAddress;
  readonly destination: DestinationName;
  /** Whose connection it is. */
  readonly ownership: (accepted: AcceptedConnection) => Promise<Ownership>;
  readonly serve: (socket: Socket, facts: CallFacts) => void;
  readonly refusals: Pick<ForeignRefusals, "refused" | "dropped">;
  readonly log: Log;
  readonly clock: Clock;
}

export class OutboundListener {
  readonly #options: OutboundListenerOptions;
  readonly #listener: Listener;

  constructor(options: OutboundListenerOptions) {
    this.#options = options;
    const serve = (socket: Socket): void => this.#accept(socket);
    this.#listener = new Listener(options.listen, { serve, log: options.log });
  }

  open(): Promise<void> {
    return this.#listener.open();
  }

  close(graceMs: number): Promise<void> {
    return this.#listener.close(graceMs);
  }

  #accept(socket: Socket): void {
    const accepted = acceptedConnection(socket, this.#options.clock.now());
    if (accepted === undefined) {
      socket.destroy();
      return;
    }
    this.#admit(socket, accepted).catch((error: unknown) => {
      this.#options.log.error("outbound connection failed", { problem: describeError(error) });
      socket.destroy();
    });
  }

  async #admit(socket: Socket, accepted: AcceptedConnection): Promise<void> {
    const { destination, refusals, serve } = this.#options;
    const ownership = await this.#options.ownership(accepted);
    const facts = outboundFacts(accepted, destination);
    if (ownership.owner === "own-workload") {
      serve(socket, facts);
      return;
    }
    socket.destroy();
    if (ownership.owner === "foreign") refusals.refused(facts, ownership);
    else refusals.dropped(facts);
  }
}

/** @param destination absent where the application says it later, to the HTTP proxy */
export function outboundFacts(
  { acceptedAt, remote, local }: AcceptedConnection,
  destination?: DestinationName,
): CallFacts {
  const facts: CallFacts = { reporter: "source", startedAt: acceptedAt, remote, local };
  return destination === undefined ? facts : { ...facts, cluster: outboundCluster(destination) };
}
