/**
 * Services of several clusters as one (CA-54): a service of the same namespace and name is the same service everywhere.
 * Its ports are those of this mesh, or else of the first cluster by name that has it; endpoints of all are used alike.
 */
import type { MeshSettings } from "../api/mesh-settings.ts";
import { parseWorkloadIdentity } from "../identity/spiffe-id.ts";
import { acceptedIdentities } from "./accepted-identities.ts";
import type { ExportedPort, ExportedService } from "./exported-services.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { serverNameOf, serviceHost } from "./service-host.ts";
import type { Destination, Endpoint } from "./workload-view.ts";

type RemoteKnowledge = Pick<MeshSnapshot, "remoteClusters" | "services" | "settings">;

/** What the clusters say of one service, in the order of their names. */
type Namesakes = readonly ExportedService[];

/** @returns the same destinations where no other cluster has any of them; what only others have comes last, by name */
export function withRemoteServices(
  own: readonly Destination[],
  { remoteClusters = [], services, settings }: RemoteKnowledge,
): readonly Destination[] {
  const remote = byKey([...remoteClusters].sort(byCluster).flatMap((each) => each.services));
  if (remote.size === 0) return own;
  const ownKeys = new Set(services.map(({ service }) => keyOf(service.meta)));
  const joined = own.map((destination) => {
    const { serviceNamespace: namespace, serviceName: name } = destination;
    const namesakes = remote.get(keyOf({ namespace, name }));
    return namesakes === undefined ? destination : join(destination, { namesakes, settings });
  });
  const others = [...remote].filter(([key]) => !ownKeys.has(key)).sort(byText);
  return [
    ...joined,
    ...others.flatMap(([, namesakes]) => foreignDestinations(namesakes, settings)),
  ];
}

/** Local endpoints come first; the identities are the union, in every trust domain that is ours (TLS-34). */
function join(
  destination: Destination,
  { namesakes, settings }: { readonly namesakes: Namesakes; readonly settings: MeshSettings },
): Destination {
  const { servicePort, identities, endpoints } = destination;
  const accepted = [...identities, ...identitiesOf(namesakes, settings)];
  return {
    ...destination,
    identities: [...new Set(accepted)].sort(),
    endpoints: [...endpoints, ...endpointsOf(namesakes, { servicePort, settings })],
  };
}

/** Without a listener: it is reached by name, through the HTTP proxy. */
function foreignDestinations(namesakes: Namesakes, settings: MeshSettings): Destination[] {
  const [definer] = namesakes;
  if (definer === undefined) return [];
  const { namespace, name } = definer;
  const host = serviceHost({ namespace, name });
  const identities = identitiesOf(namesakes, settings);
  return definer.ports.map(({ port, protocol }) => ({
    serviceNamespace: namespace,
    serviceName: name,
    host,
    servicePort: port,
    protocol,
    identities,
    serverName: serverNameOf(host, port),
    endpoints: endpointsOf(namesakes, { servicePort: port, settings }),
  }));
}

function identitiesOf(namesakes: Namesakes, settings: MeshSettings) {
  return acceptedIdentities(
    settings,
    namesakes.flatMap(({ identities }) => identities.map(parseWorkloadIdentity)),
  );
}

function endpointsOf(
  namesakes: Namesakes,
  { servicePort, settings }: { readonly servicePort: number; readonly settings: MeshSettings },
): Endpoint[] {
  return namesakes
    .flatMap(({ ports }) => ports.filter(({ port }) => port === servicePort))
    .flatMap((port) => endpointsOfPort(port, settings));
}

/** Where this mesh originates no mutual TLS by itself, it does so to nobody (TLS-20). */
function endpointsOfPort(
  { endpoints }: ExportedPort,
  { enableAutoMtls }: MeshSettings,
): readonly Endpoint[] {
  return endpoints.map(({ workload, address, mutualTls }) => ({
    workload,
    address,
    mutualTls: mutualTls && enableAutoMtls,
  }));
}

function byKey(services: readonly ExportedService[]): ReadonlyMap<string, Namesakes> {
  const found = new Map<string, ExportedService[]>();
  for (const service of services) {
    const key = keyOf(service);
    const namesakes = found.get(key);
    if (namesakes === undefined) found.set(key, [service]);
    else namesakes.push(service);
  }
  return found;
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function byCluster({ cluster: a }: { cluster: string }, { cluster: b }: { cluster: string }) {
  return byText([a], [b]);
}

function byText([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
