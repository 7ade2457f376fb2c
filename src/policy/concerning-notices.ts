/**
 * Of all that is noticed in a mesh, what may have a part in one answer: the rest would hide it. Errors in policies come
 * first. What binds nobody at all is counted in, for it may have been meant for the one who is asked about.
 */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import type { DestinationRule } from "../api/destination-rule.ts";
import { selects } from "../api/label-selector.ts";
import type { NetworkPolicy } from "../api/network-policy.ts";
import type { PeerAuthentication } from "../api/peer-authentication.ts";
import type { RateLimit } from "../api/rate-limit.ts";
import type { RequestAuthentication } from "../api/request-authentication.ts";
import type { Notice, PodOwner, Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import { fullHost } from "./destination-rules.ts";
import { isBehind, type MeshSnapshot } from "./mesh-snapshot.ts";
import { isolatingPolicies } from "./network-policy.ts";
import { isAttached } from "./policy-selection.ts";
import type { ServicePortName } from "./route.ts";
import { serviceHost } from "./service-host.ts";
import type { Workload } from "./workload.ts";

/** Whom and what an answer is about; what is not known is absent. */
export interface Concern {
  readonly callee?: Workload | undefined;
  readonly caller?: Workload | undefined;
  /** The service that is called; absent: any in front of the callee. */
  readonly via?: Pick<ServicePortName, "serviceNamespace" | "serviceName"> | undefined;
  /** Of both, whether there is such a workload or not. */
  readonly namespaces: readonly string[];
}

interface Asked {
  readonly snapshot: MeshSnapshot;
  readonly concern: Concern;
}

/** @returns in the order in which they are to be told */
export function concerningNotices(
  notices: readonly Notice[],
  { resources, ...asked }: Asked & { readonly resources: readonly Resource[] },
): readonly Notice[] {
  return notices
    .flatMap((notice) => {
      const ranks = resourcesAt(notice, resources).flatMap(
        (resource) => rankOf(resource, asked) ?? [],
      );
      return ranks.length === 0 ? [] : { notice, rank: Math.min(...ranks) };
    })
    .sort((one, other) => one.rank - other.rank)
    .map(({ notice }) => notice);
}

/** The one that a line is in; several where a file has many on one line. */
function resourcesAt({ source }: Notice, resources: readonly Resource[]): readonly Resource[] {
  const before = resources.filter(
    ({ meta }) => meta.source.file === source.file && meta.source.line <= source.line,
  );
  const line = Math.max(...before.map(({ meta }) => meta.source.line));
  return before.filter(({ meta }) => meta.source.line === line);
}

/** The lower, the earlier it is told. */
const IN_PLAY = 0;
const BINDS_NOBODY = 1;
const BESIDE = 2;
type Rank = typeof IN_PLAY | typeof BINDS_NOBODY | typeof BESIDE;

/** @returns undefined where the answer has nothing to do with it */
function rankOf(resource: Resource, asked: Asked): Rank | undefined {
  const { concern } = asked;
  switch (resource.kind) {
    case "AuthorizationPolicy":
    case "RequestAuthentication":
    case "PeerAuthentication":
    case "RateLimit":
      return rankOfPolicy(resource, asked);
    case "DestinationRule":
      return rankOfDestinationRule(resource, asked);
    case "NetworkPolicy":
      return rankOfNetworkPolicy(resource, asked);
    case "Service":
      return leadsThere(resource, asked) ? BESIDE : undefined;
    case "Deployment":
    case "StatefulSet":
    case "Job":
      return [concern.callee, concern.caller].some((one) => one && isMadeFrom(one, resource))
        ? BESIDE
        : undefined;
    case "Namespace":
      return concern.namespaces.includes(resource.meta.name) ? BESIDE : undefined;
    case "MeshConfig":
      return BESIDE;
    case "ConfigMap":
    case "Secret":
    case "ServiceAccount":
    case "ImageCommands":
    case "RemoteCluster":
      return undefined;
    default:
      return concern.namespaces.includes(resource.meta.namespace) ? BESIDE : undefined;
  }
}

type SelectingPolicy = AuthorizationPolicy | RequestAuthentication | PeerAuthentication | RateLimit;

function rankOfPolicy(policy: SelectingPolicy, { snapshot, concern }: Asked): Rank | undefined {
  const { rootNamespace } = snapshot.settings;
  const bindsIt = (workload: Workload): boolean => binds(policy, workload, rootNamespace);
  if (concern.callee !== undefined && bindsIt(concern.callee)) return IN_PLAY;
  if (snapshot.workloads.some(bindsIt)) return undefined;
  return isNear(policy.meta.namespace, { snapshot, concern }) ? BINDS_NOBODY : undefined;
}

function binds(policy: SelectingPolicy, workload: Workload, rootNamespace: string): boolean {
  const { kind, meta, selector } = policy;
  if ("targetRefs" in policy && policy.targetRefs.length > 0)
    return isAttached(policy, workload, { rootNamespace });
  const inRoot = meta.namespace === rootNamespace;
  if (kind === "PeerAuthentication" && inRoot && Object.keys(selector).length > 0) return false;
  return (inRoot || meta.namespace === workload.namespace) && selects(selector, workload.labels);
}

/** A namespace without workloads may be misspelt, and any be meant. */
function isNear(namespace: string, { snapshot, concern }: Asked): boolean {
  return (
    concern.namespaces.includes(namespace) ||
    namespace === snapshot.settings.rootNamespace ||
    !snapshot.workloadsByNamespace.has(namespace)
  );
}

function rankOfDestinationRule(rule: DestinationRule, asked: Asked): Rank | undefined {
  const { snapshot, concern } = asked;
  const { meta, workloadSelector } = rule;
  const near = snapshot.workloadsByNamespace.get(meta.namespace) ?? [];
  const isForNobody =
    workloadSelector !== undefined && !near.some(({ labels }) => selects(workloadSelector, labels));
  if (isForNobody) return isNear(meta.namespace, asked) ? BINDS_NOBODY : undefined;
  const services = calledServices(asked);
  const covers = services.some((service) => isHost(fullHost(rule), serviceHost(service)));
  return covers && isForCaller(rule, concern.caller) ? IN_PLAY : undefined;
}

function isForCaller(
  { meta, workloadSelector }: DestinationRule,
  caller: Workload | undefined,
): boolean {
  if (caller === undefined || workloadSelector === undefined) return true;
  return meta.namespace === caller.namespace && selects(workloadSelector, caller.labels);
}

function isHost(written: string, host: string): boolean {
  return written.startsWith("*") ? host.endsWith(written.slice(1)) : written === host;
}

function calledServices({
  snapshot,
  concern: { via, callee },
}: Asked): readonly { readonly namespace: string; readonly name: string }[] {
  if (via !== undefined) return [{ namespace: via.serviceNamespace, name: via.serviceName }];
  if (callee === undefined) return [];
  return snapshot.services
    .filter(({ service }) => isBehind(service, callee))
    .map(({ service: { meta } }) => meta);
}

function rankOfNetworkPolicy(policy: NetworkPolicy, asked: Asked): Rank | undefined {
  const { snapshot, concern } = asked;
  const isolates = (pod: Workload | undefined, direction: "egress" | "ingress"): boolean =>
    pod !== undefined && isolatingPolicies([policy], { pod, direction }).length > 0;
  if (isolates(concern.callee, "ingress") || isolates(concern.caller, "egress")) return IN_PLAY;
  const near = snapshot.workloadsByNamespace.get(policy.meta.namespace) ?? [];
  const isForSomebody = near.some((pod) => isolates(pod, "ingress") || isolates(pod, "egress"));
  return !isForSomebody && isNear(policy.meta.namespace, asked) ? BINDS_NOBODY : undefined;
}

/** Or nowhere, and is near. */
function leadsThere(service: Service, { snapshot, concern }: Asked): boolean {
  const { callee, namespaces } = concern;
  if (callee !== undefined && isBehind(service, callee)) return true;
  const leadsNowhere = !snapshot.workloads.some((workload) => isBehind(service, workload));
  return leadsNowhere && namespaces.includes(service.meta.namespace);
}

function isMadeFrom(
  { namespace, owner, ownerKind }: Workload,
  { kind, meta }: Pick<PodOwner, "kind" | "meta">,
): boolean {
  return kind === ownerKind && meta.namespace === namespace && meta.name === owner;
}
