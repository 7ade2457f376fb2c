/**
 * VirtualServices that delegate: their routes are replaced by those of the VirtualServices without hosts that they name,
 * narrowed to what the delegating route is for.
 * Source: `MergeHTTPRoutes` in `pilot/pkg/model/virtualservice.go`
 */
import type { HttpRule, HttpRuleMatch, VirtualService } from "../../api/virtual-service.ts";
import { fullHostName } from "./host-pattern.ts";
import { mergedMatch } from "./merged-match.ts";
import { gatewayName } from "./virtual-service-routes.ts";

/** A delegate that is not there, or not exported to whoever names it, leads nowhere: its route is left out. */
export function withDelegates(services: readonly VirtualService[]): readonly VirtualService[] {
  if (services.every(({ http }) => http.every(({ action }) => action.do !== "delegate"))) {
    return services;
  }
  const delegates = new Map(
    services
      .filter(({ hosts }) => hosts.length === 0)
      .map((one) => [`${one.meta.namespace}/${one.meta.name}`, one] as const),
  );
  return services.map((service) => ({
    ...service,
    http: service.http.flatMap((rule) => expanded(rule, { service, delegates })),
  }));
}

function expanded(
  rule: HttpRule,
  {
    service,
    delegates,
  }: {
    readonly service: VirtualService;
    readonly delegates: ReadonlyMap<string, VirtualService>;
  },
): readonly HttpRule[] {
  if (rule.action.do !== "delegate") return [rule];
  const { namespace } = service.meta;
  const { name, namespace: ofDelegate } = rule.action;
  const delegate = delegates.get(`${ofDelegate || namespace}/${name}`);
  if (delegate === undefined) return [];
  const { exportTo } = delegate;
  if (!exportTo.includes("*") && !exportTo.includes(namespace)) return [];
  const root = inOwnNames(rule, namespace);
  return delegate.http
    .map((leaf) => inOwnNames(leaf, delegate.meta.namespace))
    .flatMap((leaf) => mergedRule(root, leaf));
}

/** A delegate's short names are of its own namespace. */
function inOwnNames(rule: HttpRule, namespace: string): HttpRule {
  const matches = rule.matches.map((match) => {
    const gateways = match.clients.gateways.map((name) => gatewayName(name, namespace));
    return { ...match, clients: { ...match.clients, gateways } };
  });
  if (rule.action.do !== "forward") return { ...rule, matches };
  const destinations = rule.action.destinations.map((one) => ({
    ...one,
    destination: { ...one.destination, host: fullHostName(one.destination.host, namespace) },
  }));
  return { ...rule, matches, action: { ...rule.action, destinations } };
}

function mergedRule(root: HttpRule, leaf: HttpRule): readonly HttpRule[] {
  const matches = mergedMatches(root.matches, leaf.matches);
  if (matches === "conflict") return [];
  const { action, ...own } = leaf;
  return [
    {
      ...root,
      ...own,
      line: root.line,
      name:
        root.name !== "" && leaf.name !== "" ? `${root.name}-${leaf.name}` : leaf.name || root.name,
      matches,
      action,
      mirrors: leaf.mirrors.length > 0 ? leaf.mirrors : root.mirrors,
    },
  ];
}

/** Each match of the delegate has to be within one of the root's; where one is not, its whole route is left out. */
function mergedMatches(
  roots: readonly HttpRuleMatch[],
  leaves: readonly HttpRuleMatch[],
): readonly HttpRuleMatch[] | "conflict" {
  if (roots.length === 0) return leaves;
  if (leaves.length === 0) return roots;
  const merged = leaves.map((leaf) =>
    roots.flatMap((root) => {
      const match = mergedMatch(root, leaf);
      return match === "conflict" ? [] : [match];
    }),
  );
  return merged.some((some) => some.length === 0) ? "conflict" : merged.flat();
}
