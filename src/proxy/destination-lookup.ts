/** From a name and port in a request to the service it means; names are resolved in the caller's namespace. */
import type { Destination } from "../policy/workload-view.ts";

/**
 * The destination that an application means by `host`: `api`, `api.production`, `api.production.svc` or the full
 * name. Nothing outside the mesh is reachable.
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
  return destinations.find(
    (destination) =>
      destination.servicePort === port && namesOf(destination, namespace).includes(host),
  );
}

function namesOf(destination: Destination, namespace: string): string[] {
  const { serviceName, serviceNamespace, host } = destination;
  const names = [
    host,
    `${serviceName}.${serviceNamespace}`,
    `${serviceName}.${serviceNamespace}.svc`,
  ];
  return serviceNamespace === namespace ? [serviceName, ...names] : names;
}
