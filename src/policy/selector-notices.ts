/** Selectors that select nothing: policies that bind nobody, and services that nobody answers for. */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import { closestName } from "../api/closest-name.ts";
import { selects } from "../api/label-selector.ts";
import { quoted } from "../api/quoted.ts";
import type { Labels, Notice, SourceLocation } from "../api/resource.ts";
import { shortList } from "../api/short-list.ts";
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { tellNames } from "./name-hint.ts";
import type { PlacedPolicy } from "./placement-notices.ts";
import { isAttached } from "./policy-selection.ts";

/** A selector as written. */
export interface WrittenSelector {
  readonly source: SourceLocation;
  readonly path: string;
  readonly selector: Labels;
  /** A namespace, or all of them. */
  readonly reach: { readonly namespace: string } | "mesh";
  /** What follows when nothing is selected, as words that follow "so". */
  readonly consequence: string;
}

/** The selector of a policy in a namespace that there is: AP-11, AP-14, PA-4, TLS-41. */
export function policySelectorNotice(
  policy: PlacedPolicy,
  inventory: MeshInventory,
): Notice | undefined {
  const { kind, meta } = policy;
  const path = "spec.selector.matchLabels";
  const consequence = `this ${kind === "RateLimit" ? kind : "policy"} has no effect`;
  const inRoot = meta.namespace === inventory.settings.rootNamespace;
  if (kind === "AuthorizationPolicy" && policy.targetRefs.length > 0) {
    return targetNotice(policy, inventory);
  }
  if (kind === "DestinationRule") {
    const { workloadSelector: selector = {} } = policy;
    return selectorNotice(inventory, {
      source: meta.source,
      path: "spec.workloadSelector.matchLabels",
      selector,
      reach: meta,
      consequence: "this rule has no effect",
    });
  }
  const { selector } = policy;
  if (kind === "PeerAuthentication" && inRoot && Object.keys(selector).length > 0) {
    return { source: meta.source, path, message: SELECTS_FROM_ROOT };
  }
  const reach = inRoot ? "mesh" : meta;
  return selectorNotice(inventory, { source: meta.source, path, selector, reach, consequence });
}

/** AP-13, AP-14: what is attached to a gateway that is here has its effect there. */
function targetNotice(
  policy: AuthorizationPolicy,
  { pods, settings: { rootNamespace } }: MeshInventory,
): Notice | undefined {
  const { meta, targetRefs } = policy;
  if (pods.some((pod) => isAttached(policy, pod, { rootNamespace }))) return undefined;
  const gateways = targetRefs.filter(({ kind }) => kind === "Gateway");
  const names = shortList(gateways.map(({ name }) => quoted(name)));
  const message =
    gateways.length === 0
      ? "name what a waypoint serves, and there is none here, so this policy has no effect; use a selector"
      : `name ${names}, and no gateway of the Gateway API in namespace ${meta.namespace} is called so, so this policy has no effect; one of Istio's own takes a selector`;
  return { source: meta.source, path: "spec.targetRefs", message };
}

const SELECTS_FROM_ROOT =
  "is not obeyed in the root namespace (PA-4), so this policy has no effect; put it into the namespace of its workloads, or leave the selector out";

/** @returns undefined when it selects something, and when it is empty */
export function selectorNotice(
  { pods }: MeshInventory,
  { source, path, selector, reach, consequence }: WrittenSelector,
): Notice | undefined {
  const within = pods.filter((pod) => reach === "mesh" || pod.namespace === reach.namespace);
  const isEmpty = Object.keys(selector).length === 0;
  if (isEmpty || within.some(({ labels }) => selects(selector, labels))) return undefined;
  const where = reach === "mesh" ? "the mesh" : `namespace ${reach.namespace}`;
  const hint =
    closestSelector(selector, within) ?? elsewhere(selector, pods) ?? labelsThere(selector, within);
  const message = `${tellLabels(selector)} matches no workload of ${where}, so ${consequence}; ${hint}`;
  return { source, path, message };
}

function tellLabels(labels: Labels): string {
  return shortList(Object.entries(labels).map(([key, value]) => `${key}: ${value}`));
}

/** The first label that no workload has, put right. */
function closestSelector(selector: Labels, pods: readonly InventoryPod[]): string | undefined {
  for (const [key, value] of Object.entries(selector)) {
    const values = valuesOf(key, pods);
    if (values.includes(value)) continue;
    const meant = closestName(value, values);
    if (meant !== undefined) return `did you mean ${key}: ${meant}?`;
    const keys = pods.flatMap(({ labels }) => Object.keys(labels)).filter((each) => each !== key);
    const meantKey = values.length === 0 ? closestName(key, keys) : undefined;
    if (meantKey !== undefined && valuesOf(meantKey, pods).includes(value)) {
      return `did you mean ${meantKey}: ${value}?`;
    }
  }
  return undefined;
}

function elsewhere(selector: Labels, pods: readonly InventoryPod[]): string | undefined {
  const found = pods.find(({ labels }) => selects(selector, labels));
  return found && `there is such a workload in namespace ${found.namespace}`;
}

function labelsThere(selector: Labels, pods: readonly InventoryPod[]): string {
  if (pods.length === 0) return "there is none at all";
  const missing = Object.entries(selector).find(
    ([key, value]) => !valuesOf(key, pods).includes(value),
  );
  if (missing === undefined) return "no workload has all of these labels";
  const [key] = missing;
  const known = valuesOf(key, pods).map((value) => `${key}: ${value}`);
  return known.length === 0 ? `no workload there has a label ${key}` : `there: ${tellNames(known)}`;
}

function valuesOf(key: string, pods: readonly InventoryPod[]): readonly string[] {
  const values = pods.flatMap(({ labels }) =>
    Object.hasOwn(labels, key) ? (labels[key] ?? "") : [],
  );
  return [...new Set(values)].sort();
}
