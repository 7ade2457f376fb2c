/**
 * How much of a view the routes of one namespace may fill. Each match of a rule is a route with all its destinations, and
 * each server of a gateway has its own: of a few lines on each side come millions, which every view that holds them would
 * carry. What goes beyond is answered 503, and nobody else's routes are less for it.
 */
import type { StreamRoute } from "./stream-route.ts";
import type { HttpRoute, VirtualHost } from "./virtual-host.ts";

/** In characters, as a view is written. */
export const MOST_ROUTES = 20_000_000;

const TOO_MANY = "the routes for this host are too many\n";

/** Of one view. */
export class RouteBudget {
  /** By namespace of the resource that a route is of. */
  readonly #spent = new Map<string, number>();

  /** In a host either all routes of a namespace are there, or one answer in their place. */
  within(virtualHosts: readonly VirtualHost[]): readonly VirtualHost[] {
    return virtualHosts.map((host) => {
      const refused = new Map<string, HttpRoute>();
      for (const [namespace, routes] of byNamespace(host.routes)) {
        const [first] = routes;
        if (first !== undefined && !this.#spend(namespace, routes)) refused.set(namespace, first);
      }
      if (refused.size === 0) return host;
      const kept = host.routes.filter(({ origin }) => !refused.has(origin.ref.namespace));
      return { ...host, routes: [...kept, ...[...refused.values()].map(unavailable)] };
    });
  }

  /**
   * Connections have nobody to tell, and are closed. At a gateway that is so without any route; in a sidecar one that leads
   * nowhere stands for all that a resource has beyond.
   */
  withinStreams(routes: readonly StreamRoute[]): readonly StreamRoute[] {
    const closed = new Set<string>();
    return routes.flatMap((route) => {
      const { origin, hosts } = route;
      const { namespace, name } = origin.ref;
      if (this.#spend(namespace, [route])) return [route];
      if (hosts === undefined || closed.has(`${namespace}/${name}`)) return [];
      closed.add(`${namespace}/${name}`);
      return [{ origin, hosts, destinations: [] }];
    });
  }

  #spend(namespace: string, routes: readonly (HttpRoute | StreamRoute)[]): boolean {
    const spent = routes.reduce(
      (sum, route) => sum + sizeOf(route),
      this.#spent.get(namespace) ?? 0,
    );
    if (spent > MOST_ROUTES) return false;
    this.#spent.set(namespace, spent);
    return true;
  }
}

function byNamespace(routes: readonly HttpRoute[]): ReadonlyMap<string, readonly HttpRoute[]> {
  const found = new Map<string, HttpRoute[]>();
  for (const route of routes) {
    const { namespace } = route.origin.ref;
    const known = found.get(namespace);
    if (known === undefined) found.set(namespace, [route]);
    else known.push(route);
  }
  return found;
}

/** What is one object here is written once for each route: it is measured once, and counted for each. */
const lengths = new WeakMap<object, number>();

function lengthOf(part: object | undefined): number {
  if (part === undefined) return 0;
  let length = lengths.get(part);
  if (length === undefined) {
    length = JSON.stringify(part).length;
    lengths.set(part, length);
  }
  return length;
}

function sizeOf(route: HttpRoute | StreamRoute): number {
  if (!("action" in route)) return lengthOf(route);
  const { origin, match, action, headers, cors } = route;
  return [origin, match, action, headers, cors].reduce((sum, part) => sum + lengthOf(part), 0);
}

function unavailable({ origin }: HttpRoute): HttpRoute {
  return { origin, match: {}, action: { do: "respond", status: 503, body: { text: TOO_MANY } } };
}
