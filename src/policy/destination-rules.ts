/**
 * Which DestinationRule counts for a client and a service (TLS-41): for TLS and for all else that its traffic policy says.
 * What istiod does, but for rules that are not for the client, which are as good as absent here.
 * Source: `destinationRule` in `pilot/pkg/model/push_context.go`
 */
import type { DestinationRule, Subset } from "../api/destination-rule.ts";
import { selects } from "../api/label-selector.ts";
import type { TrafficPolicy } from "../api/traffic-policy.ts";
import type { ResourceOrigin } from "./decision.ts";
import { bundlesOf, type DestinationRuleBundle } from "./destination-rule-bundle.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { serviceHost } from "./service-host.ts";
import type { Workload } from "./workload.ts";
import type { Destination } from "./workload-view.ts";

/** All rules of one namespace for one host that go together. */
export interface ChosenRule {
  /** Absent: none of them has one. */
  readonly trafficPolicy?: TrafficPolicy;
  /** The rule that the traffic policy is of; without any, the oldest. */
  readonly origin: ResourceOrigin;
  readonly subsets: readonly Subset[];
  /** It is for clients that it selects, so that keys may be given to them (TLS-39). */
  readonly hasSelector?: true;
}

export type Client = Pick<Workload, "namespace" | "labels">;

/** @returns undefined where no rule is for the host */
export type DestinationRuleLookup = (
  destination: Pick<Destination, "host" | "serviceNamespace">,
) => ChosenRule | undefined;

/**
 * The lookup for one client: the client's namespace comes first, then the service's, then the root namespace; in the
 * first that has a rule for the host, the most specific host counts. A rule that is not for the client, by `exportTo` or
 * `workloadSelector`, is as good as absent.
 *
 * Clients in the root namespace start with the rules that are for that namespace alone: the others there are meant
 * for the whole mesh, and would hide those of every service.
 */
export function compileDestinationRules(
  snapshot: MeshSnapshot,
  client: Client,
): DestinationRuleLookup {
  const { rootNamespace } = snapshot.settings;
  const own = client.namespace === rootNamespace ? isPrivate : isVisibleTo(client);
  const ownRules = indexByHost(rulesFor(client, { snapshot, namespace: client.namespace }), own);
  const exported = new Map<string, HostIndex>();
  const exportedBy = (namespace: string): HostIndex => {
    const known = exported.get(namespace);
    if (known !== undefined) return known;
    const rules = rulesFor(client, { snapshot, namespace });
    const index = indexByHost(rules, isVisibleTo(client));
    exported.set(namespace, index);
    return index;
  };
  return ({ host, serviceNamespace }) =>
    findByHost(ownRules, host) ??
    findByHost(exportedBy(serviceNamespace), host) ??
    findByHost(exportedBy(rootNamespace), host);
}

/** A name without a dot is a service of the rule's own namespace. */
export function fullHost({ host, meta }: DestinationRule): string {
  if (host === "*" || host.includes(".")) return host;
  return serviceHost({ namespace: meta.namespace, name: host });
}

type Applies = (rule: DestinationRule) => boolean;

/** The rules of a namespace that may speak to this client; those that select it come before those for all. */
function rulesFor(
  client: Client,
  { snapshot, namespace }: { readonly snapshot: MeshSnapshot; readonly namespace: string },
): readonly DestinationRule[] {
  const rules = snapshot.destinationRules.get(namespace) ?? [];
  const selecting = rules.filter(
    ({ workloadSelector }) =>
      workloadSelector !== undefined &&
      namespace === client.namespace &&
      selects(workloadSelector, client.labels),
  );
  return [...selecting, ...rules.filter(({ workloadSelector }) => workloadSelector === undefined)];
}

function isVisibleTo({ namespace }: Client): Applies {
  return ({ exportTo }) => exportTo.includes("*") || exportTo.includes(namespace);
}

function isPrivate({ exportTo, meta, workloadSelector }: DestinationRule): boolean {
  return workloadSelector !== undefined || exportTo.every((name) => name === meta.namespace);
}

interface HostIndex {
  readonly exact: ReadonlyMap<string, ChosenRule>;
  /** What follows the `*`, the longest first. */
  readonly suffixes: readonly (readonly [suffix: string, rule: ChosenRule])[];
}

function indexByHost(rules: readonly DestinationRule[], applies: Applies): HostIndex {
  const byHost = new Map<string, DestinationRule[]>();
  for (const rule of rules.filter(applies)) {
    const host = fullHost(rule);
    const others = byHost.get(host);
    if (others === undefined) byHost.set(host, [rule]);
    else others.push(rule);
  }
  const exact = new Map<string, ChosenRule>();
  for (const [host, alike] of byHost) {
    const chosen = chooseBundle(bundlesOf(alike))?.chosen;
    if (chosen !== undefined) exact.set(host, chosen);
  }
  const wildcards = [...exact].filter(([host]) => host.startsWith("*"));
  return {
    exact,
    suffixes: wildcards
      .map(([host, rule]) => [host.slice(1), rule] as const)
      .sort(([a], [b]) => b.length - a.length),
  };
}

/** The oldest that selects the client; otherwise the last (`SidecarScope.DestinationRule`). */
function chooseBundle(
  bundles: readonly DestinationRuleBundle[],
): DestinationRuleBundle | undefined {
  return bundles.find(({ hasSelector }) => hasSelector) ?? bundles.at(-1);
}

function findByHost({ exact, suffixes }: HostIndex, host: string): ChosenRule | undefined {
  return exact.get(host) ?? suffixes.find(([suffix]) => host.endsWith(suffix))?.[1];
}
