/**
 * VirtualServices that delegate: their routes are replaced by those of the VirtualServices without hosts that they name,
 * narrowed to what the delegating route is for.
 * Source: `MergeHTTPRoutes` in `pilot/pkg/model/virtualservice.go`
 */
import type { HttpRule, HttpRuleMatch, VirtualService } from "../../api/virtual-service.ts";
import { fullHostName } from "./host-pattern.ts";
import { mergedMatch } from "./merged-match.ts";
import { gatewayName } from "./virtual-service-routes.ts";

/**
 * How many routes may come about so for the VirtualServices of one namespace: of a few lines on both sides come millions. A
 * rule that goes beyond leads nowhere.
 */
export const MOST_DELEGATED = 10_000;

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
  const made = new Map<string, number>();
  return services.map((service) => ({
    ...service,
    http: service.http.flatMap((rule) => expanded(rule, { service, delegates, made })),
  }));
}

/** Whether a rule leads nowhere since there were too many; no other has no destination. */
export function isBeyondDelegation({ action }: HttpRule): boolean {
  return action.do === "forward" && action.destinations.length === 0;
}

interface Delegation {
  readonly service: VirtualService;
  readonly delegates: ReadonlyMap<string, VirtualService>;
  /** So far, by namespace. */
  readonly made: Map<string, number>;
}

function expanded(rule: HttpRule, { service, delegates, made }: Delegation): readonly HttpRule[] {
  if (rule.action.do !== "delegate") return [rule];
  const { namespace } = service.meta;
  const { name, namespace: ofDelegate } = rule.action;
  const delegate = delegates.get(`${ofDelegate || namespace}/${name}`);
  if (delegate === undefined) return [];
  const { exportTo } = delegate;
  if (!exportTo.includes("*") && !exportTo.includes(namespace)) return [];
  const root = inOwnNames(rule, namespace);
  const count = (made.get(namespace) ?? 0) + routesOf(root, delegate);
  if (count > MOST_DELEGATED) return [{ ...root, action: { do: "forward", destinations: [] } }];
  made.set(namespace, count);
  return delegate.http
    .map((leaf) => inOwnNames(leaf, delegate.meta.namespace))
    .flatMap((leaf) => mergedRule(root, leaf));
}

/** At most so many come of it. */
function routesOf(root: HttpRule, { http }: VirtualService): number {
  const each = Math.max(1, root.matches.length);
  return http.reduce((sum, { matches }) => sum + each * Math.max(1, matches.length), 0);
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
