/**
 * Destinations that are known by what a client says, wherever it connects to: by the Host of requests, or by the server
 * name of TLS. Only hosts of ServiceEntries: a service of the mesh is called by its address.
 */
import type { Destination } from "../policy/workload-view.ts";

const HTTP_PORT = 80;

interface OnPort {
  readonly exact: Map<string, Destination>;
  /** What follows the `*`, the longest first. */
  readonly suffixes: (readonly [suffix: string, destination: Destination])[];
}

export class ToldDestinations {
  readonly #byHost = new Map<number, OnPort>();
  readonly #bySni = new Map<number, OnPort>();
  /** Ports on which anything is called by requests. */
  readonly #requestPorts: ReadonlySet<number>;

  constructor(destinations: readonly Destination[]) {
    this.#requestPorts = new Set(
      destinations.flatMap(({ protocol, servicePort }) =>
        protocol === "http" || protocol === "http2" ? [servicePort] : [],
      ),
    );
    for (const destination of destinations) {
      const { serviceEntry, protocol } = destination;
      if (serviceEntry === undefined) continue;
      if (serviceEntry.toldBySni) add(this.#bySni, destination);
      else if (protocol !== "tcp") add(this.#byHost, destination);
    }
    for (const { suffixes } of [...this.#byHost.values(), ...this.#bySni.values()]) {
      suffixes.sort(([one], [other]) => other.length - one.length);
    }
  }

  /** Whether anything said on a connection to that port could tell where it is to go. */
  tells(port: number): boolean {
    return this.#byHost.has(port) || this.#bySni.has(port);
  }

  /** Whether requests to whatever host are expected there, as routes may name it: port 80, and those of any service. */
  carriesRequests(port: number): boolean {
    return port === HTTP_PORT || this.#requestPorts.has(port);
  }

  /** @param host lower case, without port */
  ofHost(port: number, host: string): Destination | undefined {
    return find(this.#byHost.get(port), host);
  }

  /** @param serverName lower case */
  ofServerName(port: number, serverName: string): Destination | undefined {
    return find(this.#bySni.get(port), serverName);
  }

  /** As the HTTP proxy is asked: it may be for either. */
  of(port: number, host: string): Destination | undefined {
    return this.ofHost(port, host) ?? this.ofServerName(port, host);
  }
}

function add(ports: Map<number, OnPort>, destination: Destination): void {
  const { host, servicePort } = destination;
  const onPort: OnPort = ports.get(servicePort) ?? { exact: new Map(), suffixes: [] };
  ports.set(servicePort, onPort);
  if (host.startsWith("*")) onPort.suffixes.push([host.slice(1), destination]);
  else if (!onPort.exact.has(host)) onPort.exact.set(host, destination);
}

function find(onPort: OnPort | undefined, host: string): Destination | undefined {
  if (onPort === undefined) return undefined;
  const exact = onPort.exact.get(host);
  if (exact !== undefined) return exact;
  return onPort.suffixes.find(
    ([suffix]) => host.length > suffix.length && host.endsWith(suffix),
  )?.[1];
}
