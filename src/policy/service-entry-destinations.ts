/**
 * ServiceEntries as destinations of views: each host and port is one, beside the services of the mesh. Which of several
 * definitions of one host counts depends on the caller's namespace.
 */
import { type Cidr, formatCidr, parseCidr } from "../api/cidr.ts";
import { plainAddress } from "../api/plain-address.ts";
import type { ServiceEntry, ServiceEntryPort } from "../api/service-entry.ts";
import { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import { acceptedIdentities } from "./accepted-identities.ts";
import { automaticAddresses } from "./automatic-addresses.ts";
import type { EndpointSelection } from "./destinations.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { accountsOf, serviceEntryEndpoints } from "./service-entry-endpoints.ts";
import type { ServiceEntryTerms } from "./service-entry-terms.ts";
import { serverNameOf } from "./service-host.ts";
import type { IpAddresses } from "./workload.ts";
import type { Destination, Endpoint } from "./workload-view.ts";

export type WithServiceEntries = (
  services: readonly Destination[],
  caller: { readonly namespace: string },
) => readonly Destination[];

/**
 * Adds the destinations of ServiceEntries to those of services, for one caller after the other. A host that both have is
 * the entry's where it lies in the caller's namespace, and otherwise the service's; of several namespaces that define a
 * host, the caller's own counts, then the root namespace, which no tenant may overrule for others, or else that of the
 * oldest entry.
 */
export function compileServiceEntries(
  snapshot: MeshSnapshot,
  endpoints: EndpointSelection = "ready",
): WithServiceEntries {
  if (snapshot.serviceEntries.length === 0) return (services) => services;
  const allocated = allocate(snapshot);
  const known = new Map<ServiceEntry, readonly Destination[]>();
  const of = (entry: ServiceEntry): readonly Destination[] => {
    const destinations =
      known.get(entry) ?? destinationsOf(snapshot, { entry, endpoints, allocated });
    known.set(entry, destinations);
    return destinations;
  };
  const byNamespace = new Map<string, readonly Destination[]>();
  const inOrder = byPrecedence(snapshot);
  return (services, { namespace }) => {
    const entries = byNamespace.get(namespace) ?? chosenFor(namespace, { entries: inOrder, of });
    byNamespace.set(namespace, entries);
    return merged(services, { entries, namespace });
  };
}

/** Those of the root namespace, then the others; each by age. */
function byPrecedence({
  serviceEntries,
  settings: { rootNamespace },
}: MeshSnapshot): readonly ServiceEntry[] {
  const isOfRoot = ({ meta }: ServiceEntry): boolean => meta.namespace === rootNamespace;
  return [
    ...serviceEntries.filter(isOfRoot),
    ...serviceEntries.filter((entry) => !isOfRoot(entry)),
  ];
}

/** Of each host the ports of one namespace's entries, each port once. */
function chosenFor(
  namespace: string,
  {
    entries,
    of,
  }: {
    readonly entries: readonly ServiceEntry[];
    readonly of: (entry: ServiceEntry) => readonly Destination[];
  },
): readonly Destination[] {
  const visible = entries.filter(
    ({ exportTo }) => exportTo.includes("*") || exportTo.includes(namespace),
  );
  const own = visible.filter(({ meta }) => meta.namespace === namespace);
  const others = visible.filter(({ meta }) => meta.namespace !== namespace);
  const owners = new Map<string, string>();
  const chosen = new Map<string, Destination>();
  for (const destination of [...own, ...others].flatMap(of)) {
    const { host, servicePort, serviceNamespace } = destination;
    if ((owners.get(host) ?? serviceNamespace) !== serviceNamespace) continue;
    owners.set(host, serviceNamespace);
    const key = `${host}:${servicePort}`;
    if (!chosen.has(key)) chosen.set(key, destination);
  }
  return [...chosen.values()];
}

function merged(
  services: readonly Destination[],
  { entries, namespace }: { readonly entries: readonly Destination[]; readonly namespace: string },
): readonly Destination[] {
  const ownHosts = new Set(
    entries.filter((one) => one.serviceNamespace === namespace).map(({ host }) => host),
  );
  const kept = services.filter(
    ({ host, serviceNamespace }) => serviceNamespace === namespace || !ownHosts.has(host),
  );
  const hosts = new Set(kept.map(({ host }) => host));
  return [...kept, ...entries.filter(({ host }) => !hosts.has(host))];
}

interface EntryParts {
  readonly entry: ServiceEntry;
  readonly endpoints: EndpointSelection;
  readonly allocated: ReadonlyMap<string, IpAddresses>;
}

function destinationsOf(snapshot: MeshSnapshot, parts: EntryParts): readonly Destination[] {
  const { entry } = parts;
  const identities = identitiesOf(snapshot, entry);
  return entry.hosts.flatMap((host) =>
    entry.ports.map((port) => destinationOf(snapshot, { ...parts, host, port, identities })),
  );
}

function destinationOf(
  snapshot: MeshSnapshot,
  {
    host,
    port,
    identities,
    ...parts
  }: EntryParts & {
    readonly host: string;
    readonly port: ServiceEntryPort;
    readonly identities: readonly SpiffeId[];
  },
): Destination {
  const { entry } = parts;
  const { endpoints, lookUp } = serviceEntryEndpoints(snapshot, { ...parts, host, port });
  const nobody = identities.length === 0 && entry.subjectAltNames.length > 0;
  const isKnown = ({ mutualTls }: Endpoint | { readonly mutualTls: boolean }): boolean =>
    !(nobody && mutualTls);
  const addresses = addressesOf(snapshot, { ...parts, host });
  return {
    serviceNamespace: entry.meta.namespace,
    serviceName: host,
    host,
    servicePort: port.number,
    protocol: port.protocol,
    ...(addresses.length > 0 && { addresses }),
    identities,
    serverName: serverNameOf(host, port.number),
    endpoints: endpoints.filter(isKnown),
    serviceEntry: {
      ...termsOf(entry, port),
      ...(lookUp.length > 0 && { lookUp: lookUp.filter(isKnown) }),
    },
  };
}

function termsOf(entry: ServiceEntry, port: ServiceEntryPort): ServiceEntryTerms {
  const { kind, meta, location, resolution, subjectAltNames } = entry;
  const { namespace, name, source } = meta;
  const ranges = rangesOf(entry);
  return {
    origin: { ref: { kind, namespace, name }, source },
    location,
    resolution,
    ...(resolution === "NONE" && port.targetPort && { targetPort: port.targetPort }),
    ...(ranges.length > 0 && { ranges }),
    ...(port.toldBySni && { toldBySni: true }),
    ...(subjectAltNames.length > 0 && { subjectAltNames }),
  };
}

/** Only names of the mesh are identities of it. */
function identitiesOf(snapshot: MeshSnapshot, entry: ServiceEntry): readonly SpiffeId[] {
  const told = entry.subjectAltNames.flatMap((name): SpiffeId[] => {
    try {
      return [parseSpiffeId(name)];
    } catch (error) {
      if (error instanceof InvalidSpiffeIdError) return [];
      throw error;
    }
  });
  const accounts = acceptedIdentities(snapshot.settings, accountsOf(snapshot, entry));
  return [...new Set([...told, ...accounts])].sort();
}

/** A range of one is an address. */
function rangesOf({ addresses }: ServiceEntry): readonly string[] {
  return addresses.flatMap((address) => {
    const cidr = parseCidr(address);
    return cidr === undefined || isOneAddress(cidr) ? [] : [formatCidr(cidr)];
  });
}

function isOneAddress(cidr: Cidr | undefined): boolean {
  return cidr !== undefined && cidr.prefixLength === cidr.network.length * 8;
}

/** None where pods share the machine's loopback: nobody calls by an address there. */
function addressesOf(
  { serviceAddresses }: MeshSnapshot,
  {
    entry: { addresses, meta },
    host,
    allocated,
  }: Pick<EntryParts, "entry" | "allocated"> & { readonly host: string },
): readonly string[] {
  if (serviceAddresses === undefined) return [];
  if (addresses.length === 0) {
    const own = allocated.get(`${meta.namespace}/${host}`);
    return own === undefined ? [] : [own.ipv4, own.ipv6];
  }
  return addresses.flatMap((address) => {
    const [ip = ""] = address.split("/");
    const plain = plainAddress(ip);
    return isOneAddress(parseCidr(address)) && plain !== undefined ? [plain] : [];
  });
}

/** Automatic addresses of one namespace's hosts: an eighth of all, so that no namespace takes those of others. */
const MOST_OF_NAMESPACE = 8_192;

/** To hosts that are resolved and have no address of their own. */
function allocate(snapshot: MeshSnapshot): ReadonlyMap<string, IpAddresses> {
  const byNamespace = new Map<string, number>();
  const names = new Set<string>();
  for (const { hosts, meta, addresses, resolution, allocation } of byPrecedence(snapshot)) {
    if (addresses.length > 0 || resolution === "NONE" || allocation !== "automatic") continue;
    for (const host of hosts) {
      const name = `${meta.namespace}/${host}`;
      const own = byNamespace.get(meta.namespace) ?? 0;
      if (host.startsWith("*") || names.has(name) || own === MOST_OF_NAMESPACE) continue;
      byNamespace.set(meta.namespace, own + 1);
      names.add(name);
    }
  }
  return automaticAddresses([...names]);
}
