/** What one connection that requests share holds of its destination's limits, from before it is dialled until it is closed. */
import type { Socket } from "node:net";
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import { Ticket } from "./limited-resource.ts";

export class ConnectionPermit {
  readonly #ofDestination = new Ticket();
  readonly #ofEndpoint = new Ticket();

  /**
   * Also beyond the limit: whoever makes connections has asked, or has none to the endpoint.
   *
   * @param endpoint absent: it has left, and is forgotten already
   */
  constructor({ connections }: CircuitBreaker, endpoint: BalancedEndpoint<unknown> | undefined) {
    connections.takeBeyondLimit(this.#ofDestination);
    endpoint?.connections.takeBeyondLimit(this.#ofEndpoint);
  }

  /** The connection is closed, or was not made. To call it once too often is harmless. */
  giveBack(): void {
    this.#ofDestination.giveBack();
    this.#ofEndpoint.giveBack();
  }
}

/** The same dial, with its connection counted until it is closed. */
export async function dialCounted<U extends { readonly socket: Socket }>(
  dial: () => Promise<U>,
  permit: ConnectionPermit,
): Promise<U> {
  try {
    const upstream = await dial();
    const { socket } = upstream;
    if (socket.closed) permit.giveBack();
    else socket.once("close", () => permit.giveBack());
    return upstream;
  } catch (error) {
    permit.giveBack();
    throw error;
  }
}
