/**
 * Mistakes that open or break a mesh without a word: names in resources that nothing answers to. Each may be meant, so
 * that none is an issue; all are found by comparing resources with each other, which no parser of one of them can.
 */
import type { Notice, Resource } from "../api/resource.ts";
import { authorizerNotices } from "./authorizer-notices.ts";
import { boundedNotices } from "./bounded-notices.ts";
import { ComparisonBudget } from "./comparison-budget.ts";
import { egressNotices } from "./egress-notices.ts";
import { gatewayNotices } from "./gateway-notices.ts";
import { hiddenTrafficPolicyNotices } from "./hidden-traffic-policy-notices.ts";
import { keySourceNotices } from "./key-source-notices.ts";
import { type MeshInventory, takeInventory } from "./mesh-inventory.ts";
import { unadmittedPeerNotices, unreachableAllowNotices } from "./network-authorization-notices.ts";
import { type NetworkInventory, takeNetworkInventory } from "./network-inventory.ts";
import { networkPolicyNotices } from "./network-policy-notices.ts";
import {
  injectionLabelNotices,
  namespaceNotice,
  type PlacedPolicy,
  serviceAccountNotices,
} from "./placement-notices.ts";
import { portModeNotices } from "./port-notices.ts";
import { precedenceNotices } from "./precedence-notices.ts";
import { proxylessNotices } from "./proxyless-notices.ts";
import { rateLimitNotices } from "./rate-limit-notices.ts";
import { remoteClusterNotices } from "./remote-cluster-notices.ts";
import { routeNotices } from "./route-notices.ts";
import { ruleNotices } from "./rule-notices.ts";
import { policySelectorNotice } from "./selector-notices.ts";
import { governingServiceNotices, serviceNotices } from "./service-notices.ts";
import { telemetryNotices } from "./telemetry-notices.ts";
import type { Workload } from "./workload.ts";

/**
 * What is probably not what its author meant, in the order of files and lines.
 *
 * @param resources all of the mesh, and free of issues: what is missing would be missed here
 * @param workloads as planned from them, and others of the mesh if there are any
 */
export function meshNotices(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): readonly Notice[] {
  const inventory = takeInventory(resources, workloads);
  const notices = [
    ...injectionLabelNotices(inventory),
    ...serviceAccountNotices(resources, inventory),
    ...governingServiceNotices(resources),
    ...precedenceNotices(resources, inventory),
    ...hiddenTrafficPolicyNotices(resources),
    ...resources.flatMap((resource) => noticesOn(resource, inventory)),
    ...networkNotices(takeNetworkInventory(resources, inventory)),
    ...authorizerNotices(resources),
    ...keySourceNotices(resources),
    ...egressNotices(resources, workloads),
    ...gatewayNotices(resources, workloads),
    ...(inventory.remoteClusters.length > 0 ? [] : routeNotices(resources, workloads)),
    ...proxylessNotices(resources, workloads),
    ...rateLimitNotices(resources, inventory),
    ...remoteClusterNotices(resources),
    ...telemetryNotices(resources),
  ];
  return notices.sort(byPlace);
}

function noticesOn(resource: Resource, inventory: MeshInventory): readonly Notice[] {
  switch (resource.kind) {
    case "Service":
      return serviceNotices(resource, inventory);
    case "AuthorizationPolicy":
    case "PeerAuthentication":
    case "DestinationRule":
    case "RateLimit":
      return policyNotices(resource, inventory);
    default:
      return [];
  }
}

/** Of NetworkPolicies, in themselves and with what AuthorizationPolicies say. */
function networkNotices(inventory: NetworkInventory): readonly Notice[] {
  const [first] = inventory.policies;
  if (first === undefined) return [];
  const budget = new ComparisonBudget();
  const notices = [
    ...inventory.policies.flatMap((policy) => [
      ...boundedNotices(networkPolicyNotices(policy, inventory)),
      ...boundedNotices(unadmittedPeerNotices(policy, inventory, budget)),
    ]),
    ...inventory.allowPolicies.flatMap((policy) =>
      boundedNotices(unreachableAllowNotices(policy, inventory, budget)),
    ),
  ];
  if (!budget.isSpent) return notices;
  return [...notices, { source: first.meta.source, path: "", message: NOT_ALL_COMPARED }];
}

const NOT_ALL_COMPARED =
  "NetworkPolicies and ALLOW policies are too many to be compared with each other for all pods: contradictions between them are told in part";

/** Of a policy that is out of place, nothing else matters. */
function policyNotices(policy: PlacedPolicy, inventory: MeshInventory): readonly Notice[] {
  const misplaced = namespaceNotice(policy, inventory);
  if (misplaced !== undefined) return [misplaced];
  const unselective = policySelectorNotice(policy, inventory);
  return [
    ...(unselective === undefined ? [] : [unselective]),
    ...(policy.kind === "AuthorizationPolicy" ? ruleNotices(policy, inventory) : []),
    ...(policy.kind === "PeerAuthentication" ? portModeNotices(policy, inventory) : []),
  ];
}

function byPlace({ source: a }: Notice, { source: b }: Notice): number {
  if (a.file === b.file) return a.line - b.line;
  return a.file < b.file ? -1 : 1;
}
