/** Who and what there is in a mesh: what the names that its resources mention are compared with. Pure. */
import type { ContainerPort } from "../api/container.ts";
import type { MeshSettings } from "../api/mesh-settings.ts";
import type { Namespace } from "../api/namespace.ts";
import type { PodTemplate } from "../api/pod-template.ts";
import type { Labels, Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import { meshSettingsOf, ofKind, podOwners } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";

export interface MeshInventory {
  readonly settings: MeshSettings;
  /** Replicas are alike, and one stands for all; those of a StatefulSet have labels of their own. */
  readonly pods: readonly InventoryPod[];
  readonly services: readonly Service[];
  /** Those with a Namespace resource or a pod, and the root namespace. */
  readonly namespaces: ReadonlySet<string>;
  /** Whose label says neither yes nor no to sidecars (INJ-3). */
  readonly mislabelledNamespaces: readonly Namespace[];
  /** `NAMESPACE/NAME` of every ServiceAccount resource. */
  readonly serviceAccounts: ReadonlySet<string>;
  /** Names of the clusters whose services are used here too: who is there, no file here says. */
  readonly remoteClusters: readonly string[];
}

export interface InventoryPod {
  readonly namespace: string;
  readonly labels: Labels;
  readonly serviceAccount: string;
  /** Without one a pod proves no identity. "open" where it is for another notice to tell, or nothing runs now. */
  readonly sidecar: "injected" | "none" | "open";
  /** As containers declare them. */
  readonly ports: readonly ContainerPort[];
}

export const INJECTION_LABEL = "istio-injection";
const INJECTION_VALUES: readonly string[] = ["enabled", "disabled"];

/** Takes in workloads, and what would be one: Deployments of no replicas, Jobs of no completions. */
export function takeInventory(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): MeshInventory {
  const settings = meshSettingsOf(resources);
  const namespaces = ofKind(resources, "Namespace");
  const mislabelledNamespaces = namespaces.filter(isMislabelled);
  const mislabelled = new Set(mislabelledNamespaces.map(({ meta }) => meta.name));
  const pods = podsOf(resources, workloads).map(
    (pod): InventoryPod => (mislabelled.has(pod.namespace) ? { ...pod, sidecar: "open" } : pod),
  );
  const named = namespaces.map(({ meta }) => meta.name);
  const inhabited = pods.map(({ namespace }) => namespace);
  return {
    settings,
    pods,
    services: ofKind(resources, "Service"),
    mislabelledNamespaces,
    namespaces: new Set([...named, ...inhabited, settings.rootNamespace]),
    serviceAccounts: new Set(
      ofKind(resources, "ServiceAccount").map(({ meta }) => `${meta.namespace}/${meta.name}`),
    ),
    remoteClusters: ofKind(resources, "RemoteCluster").map(({ meta }) => meta.name),
  };
}

function podsOf(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): readonly InventoryPod[] {
  const owners = podOwners(resources);
  const templates = new Map(owners.map((owner) => [keyOf(owner.kind, owner.meta), owner.template]));
  const running = new Map(workloads.map((each) => [likenessOf(each), each]));
  const busy = new Set(workloads.map(ownerKeyOf));
  const idle = owners.filter(({ kind, meta }) => !busy.has(keyOf(kind, meta)));
  return [
    ...[...running.values()].map((workload) =>
      podOf(workload, templates.get(ownerKeyOf(workload))),
    ),
    ...idle.map(({ meta, template }) => idlePod(meta.namespace, template)),
  ];
}

function isMislabelled({ meta: { labels } }: Namespace): boolean {
  return (
    Object.hasOwn(labels, INJECTION_LABEL) &&
    !INJECTION_VALUES.includes(labels[INJECTION_LABEL] ?? "")
  );
}

function ownerKeyOf({ ownerKind, namespace, owner }: Workload): string {
  return keyOf(ownerKind, { namespace, name: owner });
}

/** The same for pods of which one can stand for the other. */
function likenessOf(workload: Workload): string {
  return workload.ownerKind === "StatefulSet" ? keyOf("Pod", workload) : ownerKeyOf(workload);
}

function keyOf(
  kind: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  return `${kind} ${namespace}/${name}`;
}

function podOf(
  { namespace, labels, serviceAccount, injected, ports }: Workload,
  template: PodTemplate | undefined,
): InventoryPod {
  return {
    namespace,
    labels,
    serviceAccount,
    sidecar: injected ? "injected" : "none",
    ports: template === undefined ? ports : declaredPorts(template),
  };
}

function idlePod(namespace: string, template: PodTemplate): InventoryPod {
  const { labels, serviceAccountName: serviceAccount } = template;
  return { namespace, labels, serviceAccount, sidecar: "open", ports: declaredPorts(template) };
}

function declaredPorts({ containers }: PodTemplate): readonly ContainerPort[] {
  return containers.flatMap(({ ports }) => ports);
}
