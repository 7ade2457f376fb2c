/**
 * Where the host of a token issuer is, by the mesh's own word: a ServiceEntry can put it somewhere else than public names
 * do. Keys are one for all namespaces, so that no namespace may lead another one's keys astray.
 */
import type { Resource } from "../api/resource.ts";
import type { ServiceEntry } from "../api/service-entry.ts";
import { meshSettingsOf, ofKind } from "./mesh-snapshot.ts";
import { type TokenKeySource, tokenKeySource, tokenKeySourceName } from "./token-key-source.ts";

export interface HostPlace {
  /** An IP address, or a name that is still to be looked up. */
  readonly address: string;
  readonly port: number;
}

/**
 * @param host in lower case
 * @returns undefined: nothing says anything of it, and public names count
 */
export type FindHost = (host: string, port: number) => readonly HostPlace[] | undefined;

/**
 * Entries of the root namespace count, and those of the one namespace whose rules alone name `source`. An exact host is
 * stronger than one with a wildcard, and the root namespace than another.
 */
export function keyHosts(resources: readonly Resource[], source: TokenKeySource): FindHost {
  const { rootNamespace } = meshSettingsOf(resources);
  const users = namespacesNaming(resources, source);
  const [only] = users;
  const namespaces = users.length === 1 ? [rootNamespace, only] : [rootNamespace];
  const entries = namespaces.flatMap((namespace) =>
    ofKind(resources, "ServiceEntry").filter(({ meta }) => meta.namespace === namespace),
  );
  return (host, port) => {
    for (const name of namesFor(host)) {
      for (const entry of entries) {
        const places = entry.hosts.includes(name) ? placesIn(entry, port) : [];
        if (places.length > 0) return places;
      }
    }
    return undefined;
  };
}

function namespacesNaming(
  resources: readonly Resource[],
  source: TokenKeySource,
): readonly string[] {
  const name = tokenKeySourceName(source);
  const naming = ofKind(resources, "RequestAuthentication").filter(({ rules }) =>
    rules.some((rule) => {
      const named = tokenKeySource(rule);
      return named !== undefined && tokenKeySourceName(named) === name;
    }),
  );
  return [...new Set(naming.map(({ meta }) => meta.namespace))];
}

/** The host itself, then every wildcard that covers it, the longest first. */
function namesFor(host: string): readonly string[] {
  const labels = host.split(".");
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`);
  return [host, ...wildcards];
}

/** Only what says where its endpoints are: `NONE` leaves it to the caller, as does `DNS` without endpoints. */
function placesIn(
  { resolution, ports, endpoints }: ServiceEntry,
  wanted: number,
): readonly HostPlace[] {
  const port = ports.find(({ number }) => number === wanted);
  if (port === undefined || resolution === "NONE") return [];
  return endpoints.map((endpoint) => ({
    address: endpoint.address,
    port: endpoint.ports[port.name] ?? port.targetPort ?? port.number,
  }));
}
