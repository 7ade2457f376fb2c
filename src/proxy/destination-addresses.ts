/** From the address that an application calls to the destination it means: made once for each view. */
import { plainAddress } from "../api/plain-address.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { DestinationName } from "./outbound-call.ts";

export class DestinationAddresses {
  readonly #names = new Map<string, DestinationName>();

  constructor(destinations: readonly Destination[]) {
    for (const destination of destinations) {
      if (destination.headless) this.#addPods(destination);
    }
    // A service's own address counts for more than that of a pod, should one ever be both.
    for (const destination of destinations) this.#addService(destination);
  }

  /** @returns undefined for an address and port that no service has */
  find({ address, port }: SocketAddress): DestinationName | undefined {
    return this.#names.get(keyOf(address, port));
  }

  #addService({ host, servicePort, addresses = [] }: Destination): void {
    for (const address of addresses) {
      this.#names.set(keyOf(address, servicePort), { host, servicePort });
    }
  }

  /** Nobody translates ports on the way to a pod: it is called at the one where it listens. */
  #addPods({ host, servicePort, endpoints }: Destination): void {
    for (const { address: only, podAddresses = [] } of endpoints) {
      for (const address of podAddresses) {
        const key = keyOf(address, only.port);
        if (!this.#names.has(key)) this.#names.set(key, { host, servicePort, only });
      }
    }
  }
}

function keyOf(address: string, port: number): string {
  return `${plainAddress(address) ?? address} ${port}`;
}
