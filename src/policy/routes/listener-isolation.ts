/**
 * Of several listeners of one Gateway on a port without TLS only the most specific one is for a host: who may bind routes to
 * a wider one has no say in a narrower one's hosts, whose `allowedRoutes` may keep it out. With TLS their server names tell
 * them apart. Source: https://gateway-api.sigs.k8s.io/reference/spec/#listener, "distinct" and "isolation"
 */
import type { OfferedServer } from "../gateway-servers.ts";
import { isWithin } from "./host-pattern.ts";

/** Hosts of listeners beside it that are narrower than its own, in lower case. */
export function narrowerHosts(
  server: OfferedServer,
  servers: readonly OfferedServer[],
): readonly string[] {
  if (server.listenerOf === undefined) return [];
  const own = hostsOf(server);
  return servers
    .filter((one) => one !== server && one.listenerOf === server.listenerOf)
    .flatMap(hostsOf)
    .filter((host) => own.some((wide) => host !== wide && isWithin(host, wide)));
}

/** Of the hosts that routes would have here those that are no narrower listener's. */
export function ownHosts(hosts: readonly string[], narrower: readonly string[]): readonly string[] {
  return hosts.filter((host) => !narrower.some((other) => isWithin(host, other)));
}

function hostsOf({ hosts }: OfferedServer): readonly string[] {
  return hosts.map(({ host }) => host);
}
