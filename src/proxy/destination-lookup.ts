/** From a name and port in a request to the service it means; names are resolved in the caller's namespace. */
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";

/** On one machine any name that ends so leads to it (RFC 6761 section 6.3): browsers and curl need no resolver then. */
const LOCAL_SUFFIX = /(?<=.)\.localhost$/;

/**
 * The destination that an application means by `host`: `api`, `api.production`, `api.production.svc` or the full
 * name, each perhaps with `.localhost` behind it, the host of a ServiceEntry, or the address of its listener.
 *
 * @param host lower case, without port and closing dot
 */
export function findDestination(
  destinations: readonly Destination[],
  {
    host,
    port,
    namespace,
  }: { readonly host: string; readonly port: number; readonly namespace: string },
): Destination | undefined {
  const name = withoutLocalSuffix(host);
  return (
    destinations.find(
      (destination) =>
        destination.servicePort === port && namesOf(destination, namespace).includes(name),
    ) ?? destinations.find(({ listen }) => listen && isAddressOf(listen, { host, port }))
  );
}

/** Whether a host and port in a request mean a listener of this machine. */
export function isAddressOf(
  listen: SocketAddress,
  { host, port }: { readonly host: string; readonly port: number | undefined },
): boolean {
  if (port !== listen.port) return false;
  return host === listen.address || host === "localhost" || LOCAL_SUFFIX.test(host);
}

export function withoutLocalSuffix(host: string): string {
  return host.replace(LOCAL_SUFFIX, "");
}

function namesOf(destination: Destination, namespace: string): string[] {
  const { serviceName, serviceNamespace, host, serviceEntry } = destination;
  if (serviceEntry !== undefined) return [host];
  const names = [
    host,
    `${serviceName}.${serviceNamespace}`,
    `${serviceName}.${serviceNamespace}.svc`,
  ];
  return serviceNamespace === namespace ? [serviceName, ...names] : names;
}
