/** All configuration at one moment, indexed for the questions asked of it. Immutable; what is derived from it lives elsewhere. */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import type { DestinationRule } from "../api/destination-rule.ts";
import type { Gateway } from "../api/gateway.ts";
import type { GatewayClass } from "../api/gateway-api/gateway-class.ts";
import type { HttpRouteResource } from "../api/gateway-api/http-route.ts";
import type { KubernetesGateway } from "../api/gateway-api/kubernetes-gateway.ts";
import type { ReferenceGrant } from "../api/gateway-api/reference-grant.ts";
import { selects } from "../api/label-selector.ts";
import { DEFAULT_MESH_SETTINGS, type MeshSettings } from "../api/mesh-settings.ts";
import type { NetworkPolicy } from "../api/network-policy.ts";
import type { PeerAuthentication } from "../api/peer-authentication.ts";
import type { RateLimit } from "../api/rate-limit.ts";
import type { RequestAuthentication } from "../api/request-authentication.ts";
import type { Labels, PodOwner, Resource, ResourceKind } from "../api/resource.ts";
import type { Role } from "../api/role.ts";
import type { RoleBinding } from "../api/role-binding.ts";
import type { Secret } from "../api/secret.ts";
import type { Service } from "../api/service.ts";
import type { ServiceEntry } from "../api/service-entry.ts";
import type { Telemetry } from "../api/telemetry.ts";
import type { VirtualService } from "../api/virtual-service.ts";
import type { WorkloadEntry } from "../api/workload-entry.ts";
import { withDefaultExport } from "./default-exports.ts";
import { byAge } from "./mutual-tls.ts";
import type { GatewayScope } from "./offered-servers.ts";
import { buildPodDomains, type PodDomains } from "./pod-domain.ts";
import type { GatewaySelectors } from "./policy-selection.ts";
import type { RemoteClusterServices } from "./remote-cluster-services.ts";
import { withDelegates } from "./routes/delegated-rules.ts";
import type { IpAddresses, Workload } from "./workload.ts";
import type { Trust } from "./workload-view.ts";

export interface MeshSnapshot {
  readonly settings: MeshSettings;
  /** PEM of every trusted root. */
  readonly rootsPem: readonly string[];
  /** As in `Trust`; empty in most meshes at most times. */
  readonly authorities: Pick<Trust, "taintedAuthorities" | "crlsPem">;
  readonly workloads: readonly Workload[];
  /** By namespace, then name. */
  readonly services: readonly SelectedWorkloads[];
  readonly workloadsByNamespace: ReadonlyMap<string, readonly Workload[]>;
  readonly servicesByNamespace: ReadonlyMap<string, readonly SelectedWorkloads[]>;
  /** In the order of PA-5. */
  readonly peerAuthentications: ReadonlyMap<string, readonly PeerAuthentication[]>;
  /** In the order of PA-5. */
  readonly authorizationPolicies: ReadonlyMap<string, readonly AuthorizationPolicy[]>;
  /** In the order of PA-5. */
  readonly requestAuthentications: ReadonlyMap<string, readonly RequestAuthentication[]>;
  /** By namespace, the oldest first. */
  readonly destinationRules: ReadonlyMap<string, readonly DestinationRule[]>;
  /** The oldest first. */
  readonly serviceEntries: readonly ServiceEntry[];
  /** By namespace, the oldest first. */
  readonly workloadEntries: ReadonlyMap<string, readonly WorkloadEntry[]>;
  /** The oldest first. */
  readonly gateways: readonly Gateway[];
  /** The oldest first; what they delegate is in them. */
  readonly virtualServices: readonly VirtualService[];
  /** Of the Gateway API; of each kind the oldest first. */
  readonly gatewayApi: GatewayApiResources;
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
  /** By `namespace/name`. Keys of theirs go to the views that may have them, and nowhere else. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** By namespace, the oldest first. */
  readonly networkPolicies: ReadonlyMap<string, readonly NetworkPolicy[]>;
  /** By namespace, the oldest first. */
  readonly rateLimits: ReadonlyMap<string, readonly RateLimit[]>;
  /** By namespace, the oldest first. */
  readonly telemetries: ReadonlyMap<string, readonly Telemetry[]>;
  /** As Namespace resources say, by name. */
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  /** Of services, by `namespace/name`; absent where pods share the machine's loopback. */
  readonly serviceAddresses?: Readonly<Record<string, IpAddresses>>;
  readonly podDomains: PodDomains;
  /** Absent: honoured. */
  readonly gatewaySelectors?: GatewaySelectors;
  /** Absent: the whole mesh. */
  readonly gatewayScope?: GatewayScope;
  /** Of other clusters, what is admitted here. */
  readonly remoteClusters?: readonly RemoteClusterServices[];
  /** Key sets of token issuers that were fetched, as JSON, by `tokenKeySourceName`. */
  readonly tokenKeys?: ReadonlyMap<string, string>;
}

export interface GatewayApiResources {
  readonly gateways: readonly KubernetesGateway[];
  readonly classes: readonly GatewayClass[];
  readonly routes: readonly HttpRouteResource[];
  readonly grants: readonly ReferenceGrant[];
}

/** A service and the workloads behind it, in the order they were given. */
export interface SelectedWorkloads {
  readonly service: Service;
  readonly workloads: readonly Workload[];
}

/** Indexes resources and workloads. */
export function buildSnapshot({
  resources,
  workloads,
  rootsPem,
  authorities = {},
  serviceAddresses,
  gatewaySelectors,
  gatewayScope,
  remoteClusters,
  tokenKeys,
}: {
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
  readonly rootsPem: readonly string[];
  readonly authorities?: MeshSnapshot["authorities"];
  readonly serviceAddresses?: Readonly<Record<string, IpAddresses>> | undefined;
  readonly gatewaySelectors?: GatewaySelectors | undefined;
  readonly gatewayScope?: GatewayScope | undefined;
  readonly remoteClusters?: readonly RemoteClusterServices[] | undefined;
  readonly tokenKeys?: ReadonlyMap<string, string> | undefined;
}): MeshSnapshot {
  const workloadsByNamespace = groupBy(workloads, ({ namespace }) => namespace);
  const services = ofKind(resources, "Service")
    .sort(byNamespaceAndName)
    .map((service) => selectWorkloads(service, workloadsByNamespace));
  const settings = meshSettingsOf(resources);
  return {
    settings,
    rootsPem,
    authorities,
    workloads,
    services,
    workloadsByNamespace,
    ...(serviceAddresses && { serviceAddresses }),
    ...(gatewaySelectors && { gatewaySelectors }),
    ...(gatewayScope && { gatewayScope }),
    ...(remoteClusters && { remoteClusters }),
    ...(tokenKeys && { tokenKeys }),
    podDomains: buildPodDomains(podOwners(resources)),
    servicesByNamespace: groupBy(services, ({ service }) => service.meta.namespace),
    peerAuthentications: groupBy(
      ofKind(resources, "PeerAuthentication").sort(byAge),
      ({ meta }) => meta.namespace,
    ),
    authorizationPolicies: groupBy(
      ofKind(resources, "AuthorizationPolicy"),
      ({ meta }) => meta.namespace,
    ),
    requestAuthentications: groupBy(
      ofKind(resources, "RequestAuthentication").sort(byAge),
      ({ meta }) => meta.namespace,
    ),
    destinationRules: groupBy(
      withDefaultExport(
        ofKind(resources, "DestinationRule").sort(byAge),
        settings.defaultExportTo?.destinationRules,
      ),
      ({ meta }) => meta.namespace,
    ),
    serviceEntries: withDefaultExport(
      ofKind(resources, "ServiceEntry").sort(byAge),
      settings.defaultExportTo?.serviceEntries,
    ),
    workloadEntries: groupBy(
      ofKind(resources, "WorkloadEntry").sort(byAge),
      ({ meta }) => meta.namespace,
    ),
    gateways: ofKind(resources, "Gateway").sort(byAge),
    virtualServices: withDelegates(
      withDefaultExport(
        ofKind(resources, "VirtualService").sort(byAge),
        settings.defaultExportTo?.virtualServices,
      ),
    ),
    gatewayApi: {
      gateways: ofKind(resources, "KubernetesGateway").sort(byAge),
      classes: ofKind(resources, "GatewayClass"),
      routes: ofKind(resources, "HTTPRoute").sort(byAge),
      grants: ofKind(resources, "ReferenceGrant"),
    },
    roles: resources.filter(
      (one): one is Role => one.kind === "Role" || one.kind === "ClusterRole",
    ),
    roleBindings: resources.filter(
      (one): one is RoleBinding => one.kind === "RoleBinding" || one.kind === "ClusterRoleBinding",
    ),
    secrets: new Map(
      ofKind(resources, "Secret").map((one) => [`${one.meta.namespace}/${one.meta.name}`, one]),
    ),
    networkPolicies: groupBy(
      ofKind(resources, "NetworkPolicy").sort(byAge),
      ({ meta }) => meta.namespace,
    ),
    rateLimits: groupBy(ofKind(resources, "RateLimit").sort(byAge), ({ meta }) => meta.namespace),
    telemetries: groupBy(ofKind(resources, "Telemetry").sort(byAge), ({ meta }) => meta.namespace),
    namespaceLabels: new Map(
      ofKind(resources, "Namespace").map(({ meta }) => [meta.name, meta.labels]),
    ),
  };
}

/** Of several mesh configurations the first counts; whoever reads files refuses a second. */
export function meshSettingsOf(resources: readonly Resource[]): MeshSettings {
  return ofKind(resources, "MeshConfig")[0]?.settings ?? DEFAULT_MESH_SETTINGS;
}

/** What a namespace, and the root namespace above it, say; the root's first. */
export function ofScope<T>(
  byNamespace: ReadonlyMap<string, readonly T[]>,
  { rootNamespace, namespace }: { readonly rootNamespace: string; readonly namespace: string },
): readonly T[] {
  const own = byNamespace.get(namespace) ?? [];
  if (namespace === rootNamespace) return own;
  return [...(byNamespace.get(rootNamespace) ?? []), ...own];
}

/** The resources of one kind, in the order they were given. */
export function ofKind<Kind extends ResourceKind>(
  resources: readonly Resource[],
  kind: Kind,
): Extract<Resource, { kind: Kind }>[] {
  return resources.filter(
    (resource): resource is Extract<Resource, { kind: Kind }> => resource.kind === kind,
  );
}

/** What makes pods, each kind in the order given. */
export function podOwners(resources: readonly Resource[]): readonly PodOwner[] {
  return [
    ...ofKind(resources, "Deployment"),
    ...ofKind(resources, "StatefulSet"),
    ...ofKind(resources, "Job"),
  ];
}

function selectWorkloads(
  service: Service,
  byNamespace: ReadonlyMap<string, readonly Workload[]>,
): SelectedWorkloads {
  const candidates = byNamespace.get(service.meta.namespace) ?? [];
  return { service, workloads: candidates.filter((workload) => isBehind(service, workload)) };
}

/** Whether a service selects a workload; an empty selector selects nothing. */
export function isBehind(
  { meta, selector }: Service,
  { namespace, labels }: Pick<Workload, "namespace" | "labels">,
): boolean {
  if (meta.namespace !== namespace || Object.keys(selector).length === 0) return false;
  return selects(selector, labels);
}

function byNamespaceAndName({ meta: a }: Service, { meta: b }: Service): number {
  const [left, right] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
