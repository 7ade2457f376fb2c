/**
 * Addresses of services, for connections that no sidecar takes: each new one goes to one endpoint that is ready, drawn
 * by lot, as kube-proxy has it. A service without endpoints refuses.
 */
import type { SocketAddress } from "../../policy/workload.ts";
import { SERVICE_RANGES } from "./mesh-ranges.ts";
import { type AddressFamily, checkedAddress, type NftChain } from "./nft-text.ts";

/** One port of one service. */
export interface ServiceRoute {
  /** Of the service, one of each family at most. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** TCP when absent. */
  readonly protocol?: "TCP" | "UDP";
  /** Those that are ready, of either family: a caller gets one of its own. */
  readonly endpoints: readonly SocketAddress[];
}

/** After the sidecar's own interception, which has taken what it wants. */
const NAT_PRIORITY = -90;

/** @param options.own what matches the sidecar's traffic, which knows the endpoints itself; absent without one */
export function serviceChains(
  services: readonly ServiceRoute[],
  { own }: { readonly own?: string | undefined },
): readonly NftChain[] {
  const routes = uniqueRoutes(services);
  const endpoints = new EndpointChains();
  const choices = routes.map((route) => ({ ...route, chain: endpoints.choose(route) }));
  const lookups = (["ip", "ip6"] as const).flatMap((family) => lookup(family, choices));
  return [
    ...endpoints.chains,
    ...(lookups.length === 0
      ? []
      : [
          {
            name: "services",
            hook: { type: "nat", at: "output", priority: NAT_PRIORITY, policy: "accept" },
            rules: [...(own === undefined ? [] : [`${own} return`]), ...lookups],
          } as const,
        ]),
    {
      name: "service-ends",
      hook: { type: "filter", at: "output", priority: 0, policy: "accept" },
      rules: [
        ...refuse(`ip daddr ${SERVICE_RANGES.ipv4}`),
        ...refuse(`ip6 daddr ${SERVICE_RANGES.ipv6}`),
      ],
    },
  ];
}

interface Route {
  readonly family: AddressFamily;
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** `10.244.0.2:8080` or `[fd00::2]:8080`; never empty. */
  readonly endpoints: readonly string[];
}

/** Those with no endpoint are left out: `service-ends` refuses them. */
function uniqueRoutes(services: readonly ServiceRoute[]): readonly Route[] {
  const routes = new Map<string, Route>();
  for (const { addresses, port, protocol: named = "TCP", endpoints } of services) {
    const protocol = named === "TCP" ? "tcp" : "udp";
    for (const address of addresses) {
      const { family, text } = checkedAddress(address);
      const ready = endpointsOf(endpoints, family);
      const key = `${text} ${protocol} ${port}`;
      if (ready.length === 0 || routes.has(key)) continue;
      routes.set(key, { family, address: text, port, protocol, endpoints: ready });
    }
  }
  return [...routes.values()];
}

function endpointsOf(endpoints: readonly SocketAddress[], wanted: AddressFamily): string[] {
  const texts = endpoints.flatMap(({ address, port }) => {
    const { family, text } = checkedAddress(address);
    if (family !== wanted) return [];
    return [family === "ip" ? `${text}:${port}` : `[${text}]:${port}`];
  });
  return [...new Set(texts)].sort();
}

/** One chain for each endpoint, shared by all services that lead to it. */
class EndpointChains {
  readonly #names: Map<string, string> = new Map();
  readonly #chains: NftChain[] = [];

  get chains(): readonly NftChain[] {
    return this.#chains;
  }

  /** @returns the chain that leads to one of the route's endpoints */
  choose(route: Route): string {
    const names = route.endpoints.map((endpoint) => this.#endpoint(endpoint, route));
    const [only = ""] = names;
    if (names.length === 1) return only;
    const lots = names.map((name, index) => `${index} : goto ${name}`).join(", ");
    return this.#chain(`${names.join(" ")}`, {
      prefix: "choice",
      rule: `numgen random mod ${names.length} vmap { ${lots} }`,
    });
  }

  #endpoint(endpoint: string, { family, protocol }: Route): string {
    return this.#chain(`${protocol} ${endpoint}`, {
      prefix: "endpoint",
      rule: `meta l4proto ${protocol} dnat ${family} to ${endpoint}`,
    });
  }

  #chain(
    key: string,
    { prefix, rule }: { readonly prefix: string; readonly rule: string },
  ): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = `${prefix}-${this.#chains.length}`;
    this.#names.set(key, name);
    this.#chains.push({ name, rules: [rule] });
    return name;
  }
}

function lookup(
  family: AddressFamily,
  choices: readonly (Route & { readonly chain: string })[],
): readonly string[] {
  const elements = choices
    .filter((choice) => choice.family === family)
    .map(
      ({ address, protocol, port, chain }) => `${address} . ${protocol} . ${port} : goto ${chain}`,
    );
  if (elements.length === 0) return [];
  return [`${family} daddr . meta l4proto . th dport vmap { ${elements.join(", ")} }`];
}

function refuse(match: string): readonly string[] {
  return [
    `${match} meta l4proto tcp reject with tcp reset`,
    `${match} reject with icmpx port-unreachable`,
  ];
}
