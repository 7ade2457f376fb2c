/**
 * Which addresses the names of the mesh stand for: of services, and of pods behind headless ones. Pure: built once from
 * destinations, then asked for every query.
 * Source: https://github.com/kubernetes/dns/blob/master/docs/specification.md
 */
import type { Destination } from "./workload-view.ts";

export interface NameTable {
  /**
   * As a resolver would that searches `NAMESPACE.svc.cluster.local`, `svc.cluster.local` and `cluster.local`, so that
   * names are answered in full and shortened: `api.shop.svc.cluster.local`, `api.shop.svc`, `api.shop`.
   *
   * @param name lower case, absolute, without a closing dot
   * @param options.namespace the caller's: in which a service is called by its name alone
   */
  find(name: string, options?: { readonly namespace?: string | undefined }): NameAnswer;
}

/** "no-such-name": it would be ours, and nothing is called so; "not-ours": somebody else may know it. */
export type NameAnswer = NameAddresses | "no-such-name" | "not-ours";

/** Both lists may be empty: the name exists all the same. */
export interface NameAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

const CLUSTER_DOMAIN = "cluster.local";
const SERVICE_DOMAIN = `svc.${CLUSTER_DOMAIN}`;
const NO_ADDRESSES: NameAddresses = { ipv4: [], ipv6: [] };

/** @param destinations those without `addresses` are left out: their pods share the machine's loopback */
export function nameTableOf(destinations: readonly Destination[]): NameTable {
  const services = destinations.filter(({ serviceEntry }) => serviceEntry === undefined);
  const isOfOthers = podsOfOthers(services);
  const entries = destinations.filter((one) => one.serviceEntry && !isOfOthers(one));
  // Whatever a name is short for, a service that is meant by it counts before a host that somebody has called so.
  const tables = [namesOf(services), namesOf(entries)];
  return {
    find(name, { namespace } = {}) {
      const written = fullNames(name, namespace);
      for (const names of tables) {
        for (const full of written) {
          const found = names.get(full);
          if (found !== undefined) return found;
        }
      }
      return unknown(name);
    },
  };
}

function namesOf(destinations: readonly Destination[]): ReadonlyMap<string, NameAddresses> {
  const addresses = new Map<string, Set<string>>();
  for (const destination of destinations) collectNames(addresses, destination);
  return new Map([...addresses].map(([name, found]) => [name, byFamily(found)]));
}

/** The names of a headless service's pods are its own, also of those that are not there now. */
function podsOfOthers(
  services: readonly Destination[],
): (entry: Pick<Destination, "host" | "serviceNamespace">) => boolean {
  const owners = new Map(
    services.flatMap(({ host, headless, serviceNamespace }) =>
      headless === undefined ? [] : [[host, serviceNamespace] as const],
    ),
  );
  return ({ host, serviceNamespace }) => {
    const owner = owners.get(host.slice(host.indexOf(".") + 1));
    return owner !== undefined && owner !== serviceNamespace;
  };
}

/** The name itself first, since it is mostly written in full by the resolver's search list. */
function fullNames(name: string, namespace: string | undefined): readonly string[] {
  const searched = [`${name}.${SERVICE_DOMAIN}`, `${name}.${CLUSTER_DOMAIN}`];
  if (namespace === undefined) return [name, ...searched];
  return [name, `${name}.${namespace}.${SERVICE_DOMAIN}`, ...searched];
}

/** `svc` is no domain of the internet, while a namespace may well be called like one: `api.dev` is left to others. */
function unknown(name: string): NameAnswer {
  if (name === CLUSTER_DOMAIN || name === SERVICE_DOMAIN) return NO_ADDRESSES;
  return name.endsWith(`.${CLUSTER_DOMAIN}`) || name.endsWith(".svc") ? "no-such-name" : "not-ours";
}

/** A headless service without a pod that is ready has no name, as the specification recommends (2.4.1). */
function collectNames(names: Map<string, Set<string>>, destination: Destination): void {
  const { host, addresses, headless, endpoints } = destination;
  if (addresses === undefined) return;
  if (headless === undefined) {
    addTo(names, { name: host, addresses });
    return;
  }
  for (const { podAddresses = [], hostname } of endpoints) {
    addTo(names, { name: host, addresses: podAddresses });
    if (hostname !== undefined)
      addTo(names, { name: `${hostname}.${host}`, addresses: podAddresses });
  }
}

function addTo(
  names: Map<string, Set<string>>,
  { name, addresses }: { readonly name: string; readonly addresses: readonly string[] },
): void {
  const known = names.get(name) ?? new Set();
  for (const address of addresses) known.add(address);
  names.set(name, known);
}

function byFamily(addresses: ReadonlySet<string>): NameAddresses {
  const all = [...addresses];
  return {
    ipv4: all.filter((address) => !address.includes(":")),
    ipv6: all.filter((address) => address.includes(":")),
  };
}
