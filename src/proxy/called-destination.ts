/**
 * A destination of a ServiceEntry as one call means it: where nothing is resolved, the endpoint is what the application
 * called; where the host is a wildcard, the server's name is the one that the application said.
 */
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, Endpoint } from "../policy/workload-view.ts";
import { formatAddress } from "./format-address.ts";

/** Whether its calls go where the application sent them. */
export function goesAsCalled({ serviceEntry }: Destination): boolean {
  return serviceEntry?.resolution === "NONE";
}

/** The endpoint of such a destination; an address may be the name of a host then, which is looked up as it is called. */
export function calledEndpoint(
  { clientTls, serviceEntry }: Destination,
  { address, port }: SocketAddress,
): Endpoint {
  const called = { address, port: serviceEntry?.targetPort ?? port };
  return {
    workload: formatAddress(called),
    address: called,
    mutualTls: clientTls?.mode === "ISTIO_MUTUAL",
  };
}

/** @param called where the application's connection was led away from, or by what it asked the HTTP proxy */
export function calledAt(destination: Destination, called: SocketAddress): Destination {
  if (!goesAsCalled(destination)) return destination;
  return { ...destination, endpoints: [calledEndpoint(destination, called)] };
}

/** @param host that the application said, in lower case; absent: it said none */
export function calledAs(destination: Destination, host: string | undefined): Destination {
  const { tlsOrigination } = destination;
  if (tlsOrigination === undefined || !destination.host.startsWith("*") || !host) {
    return destination;
  }
  const { sni = host, verification, subjectAltNames } = tlsOrigination;
  const names = subjectAltNames ?? (verification === "name" ? [host] : undefined);
  return {
    ...destination,
    tlsOrigination: { ...tlsOrigination, sni, ...(names && { subjectAltNames: names }) },
  };
}
