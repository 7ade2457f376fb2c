/**
 * Whether DestinationRules tell a client's sidecar how to protect its connections to a service (TLS-30..TLS-32,
 * TLS-41, TLS-42). Where none does, mutual TLS is automatic.
 */
import type { DestinationRule, TlsChoice } from "../api/destination-rule.ts";
import { selects } from "../api/label-selector.ts";
import { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import type { ResourceOrigin } from "./decision.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { serviceHost } from "./service-host.ts";
import type { Workload } from "./workload.ts";
import type { Destination } from "./workload-view.ts";

/** What the rule that counts says of one service port, and which rule that is. */
export interface ChosenClientTls {
  readonly tls: Exclude<TlsChoice, "automatic">;
  readonly origin: ResourceOrigin;
}

export type Client = Pick<Workload, "namespace" | "labels">;

/** @returns undefined where no rule decides (TLS-20..TLS-28) */
export type ClientTlsLookup = (
  destination: Pick<Destination, "host" | "serviceNamespace" | "servicePort">,
) => ChosenClientTls | undefined;

/**
 * The lookup for one client: the client's namespace comes first, then the service's, then the root namespace; in the
 * first that has a rule for the host, the most specific host counts (TLS-41). A rule that is not for the client, by
 * `exportTo` or `workloadSelector`, is as good as absent.
 *
 * Clients in the root namespace start with the rules that are for that namespace alone: the others there are meant
 * for the whole mesh, and would hide those of every service.
 */
export function compileClientTls(snapshot: MeshSnapshot, client: Client): ClientTlsLookup {
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
  return ({ host, serviceNamespace, servicePort }) => {
    const rule =
      findByHost(ownRules, host) ??
      findByHost(exportedBy(serviceNamespace), host) ??
      findByHost(exportedBy(rootNamespace), host);
    return rule === undefined ? undefined : choiceOf(rule, servicePort);
  };
}

/**
 * The destination as the client's sidecar is to reach it. A rule holds for every endpoint, whether it has a sidecar or
 * not (TLS-30). Where none of a rule's names is an identity of the mesh, nobody can be the callee, and no endpoint is
 * left.
 */
export function withClientTls(
  destination: Destination,
  chosen: ChosenClientTls | undefined,
): Destination {
  if (chosen === undefined) return destination;
  const { tls, origin } = chosen;
  const clientTls = { mode: tls.mode, origin };
  if (tls.mode === "DISABLE") return { ...reachedBy(destination, "plaintext"), clientTls };
  const { sni, subjectAltNames } = tls;
  const identities = subjectAltNames?.flatMap(identityNamed) ?? destination.identities;
  const { endpoints } = reachedBy(destination, "mutual-tls");
  return {
    ...destination,
    clientTls,
    serverName: sni ?? destination.serverName,
    identities,
    endpoints: identities.length === 0 ? [] : endpoints,
  };
}

function reachedBy(destination: Destination, transport: "plaintext" | "mutual-tls"): Destination {
  const mutualTls = transport === "mutual-tls";
  return {
    ...destination,
    endpoints: destination.endpoints.map((endpoint) => ({ ...endpoint, mutualTls })),
  };
}

/** A name of another kind, such as a DNS name, is in no certificate of the mesh. */
function identityNamed(name: string): SpiffeId[] {
  try {
    return [parseSpiffeId(name)];
  } catch (error) {
    if (error instanceof InvalidSpiffeIdError) return [];
    throw error;
  }
}

/** An entry for the port counts instead of the rule's own, also when it says nothing of TLS (TLS-42). */
function choiceOf(rule: DestinationRule, servicePort: number): ChosenClientTls | undefined {
  const tls = rule.portTls.get(servicePort) ?? rule.tls;
  if (tls === "automatic") return undefined;
  const { kind, meta } = rule;
  const ref = { kind, namespace: meta.namespace, name: meta.name };
  return { tls, origin: { ref, source: meta.source } };
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
  readonly exact: ReadonlyMap<string, DestinationRule>;
  /** What follows the `*`, the longest first. */
  readonly suffixes: readonly (readonly [suffix: string, rule: DestinationRule])[];
}

function indexByHost(rules: readonly DestinationRule[], applies: Applies): HostIndex {
  const byHost = new Map<string, DestinationRule>();
  for (const rule of rules.filter(applies)) {
    const host = fullHost(rule);
    const earlier = byHost.get(host);
    if (earlier === undefined || givesWay(earlier, rule)) byHost.set(host, rule);
  }
  const wildcards = [...byHost].filter(([host]) => host.startsWith("*"));
  return {
    exact: byHost,
    suffixes: wildcards
      .map(([host, rule]) => [host.slice(1), rule] as const)
      .sort(([a], [b]) => b.length - a.length),
  };
}

/** Of several rules for one host the oldest that says anything of TLS counts; one that selects the client never gives way. */
function givesWay(earlier: DestinationRule, later: DestinationRule): boolean {
  const alike = (earlier.workloadSelector === undefined) === (later.workloadSelector === undefined);
  return alike && earlier.tls === "automatic" && earlier.portTls.size === 0;
}

function findByHost({ exact, suffixes }: HostIndex, host: string): DestinationRule | undefined {
  return exact.get(host) ?? suffixes.find(([suffix]) => host.endsWith(suffix))?.[1];
}

/** A name without a dot is a service of the rule's own namespace. */
export function fullHost({ host, meta }: DestinationRule): string {
  if (host === "*" || host.includes(".")) return host;
  return serviceHost({ namespace: meta.namespace, name: host });
}
