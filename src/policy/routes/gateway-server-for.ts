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
  let names = known.get(servers);
  if (names === undefined) {
    names = new ServerNames(servers);
    known.set(servers, names);
  }
  return names.find(serverName === undefined ? undefined : foldAscii(serverName));
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

/** By the servers of a listener, as one view has them. */
const known = new WeakMap<GatewayListener["servers"], ServerNames>();

/** Asked for each connection and each request, and a port may have the hosts of many tenants. */
class ServerNames {
  readonly #plain: GatewayServer | undefined;
  readonly #exact = new Map<string, GatewayServer>();
  /** By what follows the `*`. */
  readonly #suffixes = new Map<string, GatewayServer>();

  constructor(servers: readonly GatewayServer[]) {
    this.#plain = servers.find(({ tls }) => tls === undefined);
    for (const server of servers) {
      for (const pattern of server.serverNames) {
        const [names, name] = pattern.startsWith("*")
          ? [this.#suffixes, pattern.slice(1)]
          : [this.#exact, pattern];
        if (!names.has(name)) names.set(name, server);
      }
    }
  }

  /** @param name in lower case */
  find(name: string | undefined): GatewayServer | undefined {
    if (this.#plain !== undefined) return this.#plain;
    if (name === undefined) return this.#suffixes.get("");
    const exact = this.#exact.get(name);
    if (exact !== undefined || this.#suffixes.size === 0) return exact;
    for (let at = 1; at < name.length; at++) {
      const found = this.#suffixes.get(name.slice(at));
      if (found !== undefined) return found;
    }
    return this.#suffixes.get("");
  }
}
