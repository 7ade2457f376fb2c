/** From the address that an application calls to the destination it means: made once for each view. */
import { type Cidr, cidrContains, parseCidr, parseIpAddress } from "../api/cidr.ts";
import { plainAddress } from "../api/plain-address.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";
import { goesAsCalled } from "./called-destination.ts";
import type { DestinationName } from "./outbound-call.ts";

export class DestinationAddresses {
  readonly #names = new Map<string, DestinationName>();
  /** The smallest first. */
  readonly #ranges: { readonly range: Cidr; readonly destination: Destination }[] = [];
  /** Of services and pods, on whatever port: no ServiceEntry leads calls of them elsewhere, though it may say how they go. */
  readonly #ofMesh: ReadonlySet<string>;

  constructor(destinations: readonly Destination[]) {
    this.#ofMesh = addressesOfMesh(destinations);
    for (const destination of destinations) {
      if (destination.headless) this.#addPods(destination);
    }
    // A service's own address counts for more than that of a pod, should one ever be both.
    for (const destination of destinations) this.#addService(destination);
    this.#ranges.sort(({ range: a }, { range: b }) => b.prefixLength - a.prefixLength);
  }

  /** @returns undefined for an address and port that no service has */
  find(called: SocketAddress): DestinationName | undefined {
    return this.#names.get(keyOf(called.address, called.port)) ?? this.#findRange(called);
  }

  #addService(destination: Destination): void {
    const { host, servicePort, addresses = [], serviceEntry } = destination;
    for (const address of addresses) {
      const only = goesAsCalled(destination) ? { address, port: servicePort } : undefined;
      const key = keyOf(address, servicePort);
      if (
        serviceEntry !== undefined &&
        (this.#isTaken(address, destination) || this.#names.has(key))
      )
        continue;
      this.#names.set(key, { host, servicePort, ...(only && { only }) });
    }
    for (const text of serviceEntry?.ranges ?? []) {
      const range = parseCidr(text);
      if (range !== undefined) this.#ranges.push({ range, destination });
    }
  }

  /** Whether it means somebody of the mesh to whom the entry does not lead. */
  #isTaken(address: string, entry: Destination): boolean {
    const meant = plain(address);
    if (!this.#ofMesh.has(meant) || goesAsCalled(entry)) return false;
    const { endpoints, serviceEntry } = entry;
    const leadsThere = endpoints.every((one) => plain(one.address.address) === meant);
    return !leadsThere || endpoints.length === 0 || serviceEntry?.lookUp !== undefined;
  }

  #findRange(called: SocketAddress): DestinationName | undefined {
    if (this.#ranges.length === 0) return undefined;
    const calledAddress = plain(called.address);
    const address = parseIpAddress(calledAddress);
    if (address === undefined) return undefined;
    const found = this.#ranges.find(
      ({ range, destination }) =>
        destination.servicePort === called.port &&
        cidrContains(range, address) &&
        !this.#isTaken(calledAddress, destination),
    );
    if (found === undefined) return undefined;
    const { host, servicePort } = found.destination;
    return { host, servicePort, ...(goesAsCalled(found.destination) && { only: called }) };
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

/** None where no ServiceEntry could claim any. */
function addressesOfMesh(destinations: readonly Destination[]): ReadonlySet<string> {
  const isClaim = ({ serviceEntry, addresses = [] }: Destination): boolean =>
    serviceEntry !== undefined && addresses.length + (serviceEntry.ranges?.length ?? 0) > 0;
  if (!destinations.some(isClaim)) return new Set();
  const services = destinations.filter(({ serviceEntry }) => serviceEntry === undefined);
  return new Set(
    services
      .flatMap(({ addresses = [], endpoints }) => [
        ...addresses,
        ...endpoints.flatMap(({ podAddresses = [] }) => podAddresses),
      ])
      .map(plain),
  );
}

function keyOf(address: string, port: number): string {
  return `${plain(address)} ${port}`;
}

function plain(address: string): string {
  return plainAddress(address) ?? address;
}
