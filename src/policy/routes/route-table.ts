/**
 * Which route is for a request: found by its host first, then in the order of the host's routes. Made once for each view;
 * looking something up allocates nothing but what a path with a query needs.
 */
import { foldAscii } from "../../api/string-match.ts";
import { compileMatch, type RequestTest } from "./compile-match.ts";
import { pathnameOf, type RoutedRequest } from "./routed-request.ts";
import type { HttpRoute, VirtualHost } from "./virtual-host.ts";

export interface RouteTable {
  /**
   * The host that the authority names: its port does not count, nor do capitals. An exact name comes first, then the
   * longest `*.suffix`, then `*`, which is also for a request without any.
   *
   * @returns undefined where nobody serves it: 404
   */
  hostOf(authority: string | undefined): HostRoutes | undefined;
}

export interface HostRoutes {
  readonly virtualHost: VirtualHost;
  /** @returns undefined where none matches: 404, whatever other hosts' routes would match */
  find(request: RoutedRequest): HttpRoute | undefined;
}

export function compileRoutes(virtualHosts: readonly VirtualHost[]): RouteTable {
  return new CompiledTable(virtualHosts);
}

class CompiledTable implements RouteTable {
  readonly #exact = new Map<string, HostRoutes>();
  /** By what follows the `*`. */
  readonly #suffixes = new Map<string, HostRoutes>();
  /** Of suffixes, the longest first. */
  readonly #lengths: readonly number[];

  constructor(virtualHosts: readonly VirtualHost[]) {
    for (const virtualHost of virtualHosts) {
      const routes = new CompiledHost(virtualHost);
      for (const domain of virtualHost.domains) this.#add(domain, routes);
    }
    const lengths = new Set([...this.#suffixes.keys()].map((suffix) => suffix.length));
    this.#lengths = [...lengths].sort((one, other) => other - one);
  }

  hostOf(authority = ""): HostRoutes | undefined {
    const direct = this.#exact.get(authority);
    if (direct !== undefined) return direct;
    const host = hostNameOf(authority);
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    for (const length of this.#lengths) {
      if (length > 0 && length >= host.length) continue;
      const found = this.#suffixes.get(host.slice(host.length - length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #add(domain: string, routes: HostRoutes): void {
    const [index, name] = domain.startsWith("*")
      ? [this.#suffixes, domain.slice(1)]
      : [this.#exact, domain];
    if (!index.has(name)) index.set(name, routes);
  }
}

/** In lower case, without port. */
export function hostNameOf(authority: string): string {
  const colon = authority.lastIndexOf(":");
  if (colon < 0) return foldAscii(authority);
  const isPort = DIGITS.test(authority.slice(colon + 1));
  const isAddress = authority.indexOf(":") < colon && !authority.startsWith("[");
  return foldAscii(isPort && !isAddress ? authority.slice(0, colon) : authority);
}

const DIGITS = /^\d*$/;

class CompiledHost implements HostRoutes {
  readonly virtualHost: VirtualHost;
  readonly #tests: readonly RequestTest[];

  constructor(virtualHost: VirtualHost) {
    this.virtualHost = virtualHost;
    this.#tests = virtualHost.routes.map(({ match }) => compileMatch(match));
  }

  /** What cannot be decided decides: a route after it might be laxer. */
  find(request: RoutedRequest): HttpRoute | undefined {
    const pathname = request.path === undefined ? "" : pathnameOf(request.path);
    let index = 0;
    for (const test of this.#tests) {
      const held = test(request, pathname);
      if (held === undefined) return undefined;
      if (held) return this.virtualHost.routes[index];
      index++;
    }
    return undefined;
  }
}
