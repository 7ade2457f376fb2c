/** What is in a namespace where nothing is, or is labelled or named so that the mesh, or Kubernetes, leaves it alone. */
import { quoted } from "../api/quoted.ts";
import type { Notice, Resource } from "../api/resource.ts";
import { INJECTION_LABEL, type MeshInventory } from "./mesh-inventory.ts";
import { podOwners } from "./mesh-snapshot.ts";
import { nameHint } from "./name-hint.ts";

/** What has no effect outside the namespaces of workloads. */
export type PlacedPolicy = Extract<
  Resource,
  { kind: "AuthorizationPolicy" | "PeerAuthentication" | "DestinationRule" | "RateLimit" }
>;

/** Where a resource without `metadata.namespace` is, and an account that every namespace has. */
const DEFAULT = "default";

/** @returns undefined where there is such a namespace, and for the root namespace (AP-10, PA-2) */
export function namespaceNotice(
  { kind, meta }: PlacedPolicy,
  { namespaces }: MeshInventory,
): Notice | undefined {
  if (namespaces.has(meta.namespace)) return undefined;
  const hint = nameHint(meta.namespace, {
    known: [...namespaces],
    otherwise: (names) =>
      meta.namespace === DEFAULT
        ? `write metadata.namespace, one of: ${names}`
        : `the namespaces here: ${names}`,
  });
  return {
    source: meta.source,
    path: "metadata.namespace",
    message: `${quoted(meta.namespace)} has neither a Namespace nor a workload, so this ${kind === "RateLimit" ? kind : nounOf(meta.apiVersion)} has no effect; ${hint}`,
  };
}

function nounOf(apiVersion: string): string {
  return apiVersion.startsWith("security.") ? "policy" : "rule";
}

/** INJ-3, INJ-6: any other value says the same as "disabled", and stands in the way of pods that ask for a sidecar. */
export function injectionLabelNotices({ mislabelledNamespaces }: MeshInventory): Notice[] {
  return mislabelledNamespaces.map(({ meta }) => ({
    source: meta.source,
    path: `metadata.labels.${INJECTION_LABEL}`,
    message: `is ${quoted(meta.labels[INJECTION_LABEL] ?? "")}, so no pod of namespace ${meta.name} gets a sidecar, and nothing is enforced there; write enabled, or disabled if that is meant`,
  }));
}

/** Kubernetes admits no pod whose service account does not exist. */
export function serviceAccountNotices(
  resources: readonly Resource[],
  { serviceAccounts }: MeshInventory,
): Notice[] {
  return podOwners(resources).flatMap(({ meta, template: { serviceAccountName: account } }) => {
    if (account === DEFAULT || serviceAccounts.has(`${meta.namespace}/${account}`)) return [];
    const prefix = `${meta.namespace}/`;
    const hint = nameHint(account, {
      known: [...serviceAccounts]
        .filter((known) => known.startsWith(prefix))
        .map((known) => known.slice(prefix.length)),
      otherwise: () => "add it",
    });
    return {
      source: meta.source,
      path: "spec.template.spec.serviceAccountName",
      message: `${quoted(account)} has no ServiceAccount in namespace ${meta.namespace}, so Kubernetes would refuse the pods; ${hint}`,
    };
  });
}
