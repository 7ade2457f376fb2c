/** Ports of the services that a client knows, by host. */
import type { Destination } from "../workload-view.ts";
import type { RouteContext } from "./route-source.ts";

export function destinationPortsOf(
  destinations: readonly Pick<Destination, "host" | "servicePort">[],
): RouteContext["portsOf"] {
  const ports = new Map<string, number[]>();
  for (const { host, servicePort } of destinations) {
    const known = ports.get(host);
    if (known === undefined) ports.set(host, [servicePort]);
    else if (!known.includes(servicePort)) known.push(servicePort);
  }
  return (host) => ports.get(host) ?? [];
}
