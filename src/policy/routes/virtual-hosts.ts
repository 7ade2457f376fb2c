/**
 * Virtual hosts out of routes of many sources: those for one host stand together, and what takes everything comes last.
 * Source: `buildGatewayHTTPRouteConfig` in `pilot/pkg/networking/core/gateway.go`
 */

import { byPrecedence } from "./route-precedence.ts";
import type { RouteSource } from "./route-source.ts";
import type { HttpRoute, VirtualHost } from "./virtual-host.ts";
import { isForEverything } from "./virtual-service-routes.ts";

export class VirtualHostCollection {
  readonly #hosts = new Map<string, CollectedHost>();

  /** Those of one key are added once to a host. */
  add(domain: string, collected: CollectedRoutes): void {
    const host = this.#hostAt(domain);
    if (!host.sources.has(collected.key)) host.sources.set(collected.key, collected);
  }

  /** All requests for it are told to come again by TLS. */
  redirectToTls(domain: string): void {
    this.#hostAt(domain).httpsRedirect = true;
  }

  /** Without routes it is answered 404, and no wider host's routes are for it. */
  reserve(domain: string): void {
    this.#hostAt(domain);
  }

  has(domain: string): boolean {
    return this.#hosts.has(domain);
  }

  /** Domains with the same routes share them. */
  get virtualHosts(): readonly VirtualHost[] {
    const alike = new Map<string, { domains: string[]; host: CollectedHost }>();
    for (const [domain, host] of this.#hosts) {
      const key = `${host.httpsRedirect} ${JSON.stringify([...host.sources.keys()])}`;
      const known = alike.get(key);
      if (known === undefined) alike.set(key, { domains: [domain], host });
      else known.domains.push(domain);
    }
    return [...alike.values()].map(({ domains, host }) => ({
      domains,
      routes: inOrder([...host.sources.values()]),
      ...(host.httpsRedirect && { httpsRedirect: true }),
    }));
  }

  #hostAt(domain: string): CollectedHost {
    const known = this.#hosts.get(domain);
    if (known !== undefined) return known;
    const host: CollectedHost = { sources: new Map(), httpsRedirect: false };
    this.#hosts.set(domain, host);
    return host;
  }
}

export interface CollectedRoutes extends Pick<RouteSource, "key" | "order"> {
  readonly routes: readonly HttpRoute[];
}

interface CollectedHost {
  readonly sources: Map<string, CollectedRoutes>;
  httpsRedirect: boolean;
}

function inOrder(sources: readonly CollectedRoutes[]): readonly HttpRoute[] {
  const routesOf = (order: RouteSource["order"]): readonly HttpRoute[] =>
    sources.filter((one) => one.order === order).flatMap(({ routes }) => routes);
  const routes = [...routesOf("by precedence").toSorted(byPrecedence), ...routesOf("as written")];
  return [
    ...routes.filter((route) => !isForEverything(route)),
    ...routes.filter((route) => isForEverything(route)),
  ];
}
