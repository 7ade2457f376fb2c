/** Which server of a gateway's port answers a client, by the server name of its TLS. */
import { foldAscii } from "../../api/string-match.ts";
import type { GatewayListener, GatewayServer } from "../gateway-view.ts";
import { hostNameOf } from "./route-table.ts";

/**
 * The one that has the exact name, else the longest `*.suffix`, else `*`, which is also for a client that names nobody.
 *
 * @returns undefined where nobody serves it: the connection is closed
 */
export function gatewayServerFor(
  { servers }: Pick<GatewayListener, "servers">,
  serverName: string | undefined,
): GatewayServer | undefined {
  const name = serverName === undefined ? undefined : foldAscii(serverName);
  let best: GatewayServer | undefined;
  let bestRank = -1;
  for (const server of servers) {
    if (server.tls === undefined) return server;
    for (const pattern of server.serverNames) {
      const rank = rankOf(pattern, name);
      if (rank > bestRank) [best, bestRank] = [server, rank];
    }
  }
  return best;
}

/**
 * Whether a request on a connection to `server` may name `authority`: not, where another server of the port is the one for
 * that name, whose certificate and demands would be evaded (421).
 */
export function mayServe(
  listener: Pick<GatewayListener, "servers">,
  { server, authority }: { readonly server: GatewayServer; readonly authority: string | undefined },
): boolean {
  if (server.tls === undefined || authority === undefined) return true;
  const meant = gatewayServerFor(listener, hostNameOf(authority));
  return meant === undefined || meant === server;
}

const EXACT = Number.POSITIVE_INFINITY;

/** How specific a pattern that matches is; -1: it does not match. */
function rankOf(pattern: string, name: string | undefined): number {
  if (pattern === "*") return 0;
  if (name === undefined) return -1;
  if (pattern === name) return EXACT;
  if (!pattern.startsWith("*")) return -1;
  const suffix = pattern.slice(1);
  return name.length > suffix.length && name.endsWith(suffix) ? pattern.length : -1;
}
