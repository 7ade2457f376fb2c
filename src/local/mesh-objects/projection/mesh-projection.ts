/**
 * Keeps what the API server shows of the running mesh in step with it: pods, replica sets, endpoint slices, statuses, and
 * the mesh's own parts. Nobody else writes those.
 */

import type { Workload } from "../../../policy/workload.ts";
import { listAt, objectAt, textAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../api-server/kinds/served-kind.ts";
import { countsGenerations } from "../../api-server/objects/generation.ts";
import { isSameJson, withoutFields } from "../../api-server/objects/json-fields.ts";
import type { ObjectPlace } from "../../api-server/objects/object-change.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { timestamp } from "../../api-server/objects/timestamp.ts";
import { trackUpdate } from "../../api-server/patches/managed-fields.ts";
import { MESH_MANAGER } from "../managers.ts";
import { placeOf } from "../object-key.ts";
import type { MeshFacts, PodFacts } from "./mesh-facts.ts";
import {
  deploymentStatus,
  jobStatus,
  type OwnerProgress,
  replicaSetStatus,
  statefulSetStatus,
  templateHash,
} from "./owner-status.ts";
import { projectedEndpoints } from "./projected-endpoints.ts";
import { type PodOwnerReference, projectedPod } from "./projected-pod.ts";
import {
  CONTROL_PLANE,
  controlPlaneDeployment,
  controlPlanePod,
  SYSTEM_NAMESPACE,
} from "./system-objects.ts";

/** Namespaces that are always there. */
const NAMESPACES = ["default", SYSTEM_NAMESPACE];

/** Also tells it from one that somebody wrote. */
const DEFAULT_ACCOUNT = { "kubernetes.io/description": "The identity of pods that name no other." };

export interface ProjectedMesh {
  readonly facts: MeshFacts;
  /** The newest generation of an owner that the mesh is in step with. */
  readonly observedGeneration: (owner: KubernetesObject) => number;
}

export class MeshProjection {
  readonly #store: ObjectStore;
  readonly #kinds: ReadonlyMap<string, ServedKind>;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#kinds = new Map(store.kinds.map((kind) => [kindKey(kind.group, kind.kind), kind]));
  }

  /** Writes what is not there yet, or is otherwise. */
  show(mesh: ProjectedMesh): void {
    this.#showNamespaces(mesh.facts);
    this.#show(this.#kind("apps", "Deployment"), controlPlaneDeployment(mesh.facts));
    const sets = this.#showReplicaSets(mesh);
    this.#showPods(mesh, sets);
    this.#forgetOthers(this.#kind("apps", "ReplicaSet"), [...sets.values()]); // their pods have others by now
    this.#showServiceAddresses(mesh.facts);
    this.#showEndpoints(mesh.facts);
    this.#showStatuses(mesh);
  }

  #showNamespaces({ pods }: MeshFacts): void {
    const used = this.#store.kinds
      .filter(({ namespaced }) => namespaced)
      .flatMap((kind) => this.#store.list(kind))
      .map(({ metadata }) => metadata.namespace ?? "");
    const ofPods = pods.map(({ planned }) => planned.workload.namespace);
    const kind = this.#kind("", "Namespace");
    for (const name of new Set([...NAMESPACES, ...used, ...ofPods])) {
      const isThere = this.#store.get({ kind, namespace: "", name }) !== undefined;
      if (name !== "" && !isThere)
        this.#show(kind, {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
          spec: { finalizers: ["kubernetes"] },
          status: { phase: "Active" },
        });
    }
    const accounts = this.#kind("", "ServiceAccount");
    for (const { metadata } of this.#store.list(kind)) {
      const namespace = metadata.name ?? "";
      const place = { kind: accounts, namespace, name: "default" };
      if (this.#store.get(place) === undefined && metadata.deletionTimestamp === undefined)
        this.#show(accounts, {
          apiVersion: "v1",
          kind: "ServiceAccount",
          metadata: { name: "default", namespace, annotations: DEFAULT_ACCOUNT },
        });
    }
  }

  #showReplicaSets(mesh: ProjectedMesh): ReadonlyMap<string, KubernetesObject> {
    const kind = this.#kind("apps", "ReplicaSet");
    const shown = new Map<string, KubernetesObject>();
    for (const owner of this.#store.list(this.#kind("apps", "Deployment"))) {
      const { namespace = "", name = "" } = owner.metadata;
      const hash = templateHash(owner);
      const spec = objectAt(owner, "spec");
      const template = objectAt(spec, "template");
      const metadata = objectAt(template, "metadata");
      const labels = { ...objectAt(metadata, "labels"), "pod-template-hash": hash };
      const made = this.#show(kind, {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        metadata: {
          name: `${name}-${hash}`,
          namespace,
          labels: labels as Readonly<Record<string, string>>,
          ownerReferences: [controllerReference(owner, "apps/v1", "Deployment")],
        },
        spec: {
          replicas: spec["replicas"] ?? 1,
          selector: { matchLabels: labels },
          template: { ...template, metadata: { ...metadata, labels } },
        },
        status: replicaSetStatus(owner, this.#progress(owner, mesh)),
      });
      shown.set(`${namespace}/${name}`, made);
    }
    return shown;
  }

  /** Whether what makes the pod is still there. */
  isOwned({ ownerKind, namespace, owner: name }: Workload): boolean {
    const kind = this.#kind(ownerKind === "Job" ? "batch" : "apps", ownerKind);
    const owner = this.#store.get({ kind, namespace, name });
    return owner !== undefined && owner.metadata.deletionTimestamp === undefined;
  }

  #showPods(mesh: ProjectedMesh, sets: ReadonlyMap<string, KubernetesObject>): void {
    const { facts } = mesh;
    const kind = this.#kind("", "Pod");
    const shown = facts.pods.map((pod) => {
      const owner = this.#ownerOf(pod);
      const set = sets.get(ownerKey(pod));
      const reference = referenceTo(pod, { owner, set });
      const template = owner === undefined ? undefined : objectAt(owner, "spec", "template");
      return this.#show(kind, projectedPod(pod, { template, owner: reference, node: facts.node }));
    });
    const deployment = this.#store.get(this.#controlPlanePlace());
    const set = sets.get(`${SYSTEM_NAMESPACE}/${CONTROL_PLANE}`);
    if (deployment !== undefined && set !== undefined) {
      const owner = controllerReference(set, "apps/v1", "ReplicaSet");
      shown.push(this.#show(kind, controlPlanePod(facts, { deployment, owner })));
    }
    this.#forgetOthers(kind, shown);
  }

  #showServiceAddresses({ serviceAddresses }: MeshFacts): void {
    const kind = this.#kind("", "Service");
    for (const before of this.#store.list(kind)) {
      const { namespace, name } = before.metadata;
      const clusterIP = serviceAddresses[`${namespace}/${name}`]?.ipv4;
      const spec = objectAt(before, "spec");
      if (clusterIP === undefined || spec["clusterIP"] === clusterIP) continue;
      const after = { ...before, spec: { ...spec, clusterIP, clusterIPs: [clusterIP] } };
      this.#commit(placeOf(before, kind), before, after);
    }
  }

  #showEndpoints({ pods, node }: MeshFacts): void {
    const kind = this.#kind("discovery.k8s.io", "EndpointSlice");
    const shown = this.#store.list(this.#kind("", "Service")).flatMap((service) => {
      const selector = Object.entries(objectAt(service, "spec", "selector"));
      if (selector.length === 0) return [];
      const behind = pods.filter(
        ({ planned: { workload } }) =>
          workload.namespace === service.metadata.namespace &&
          selector.every(([key, value]) => workload.labels[key] === value),
      );
      return this.#show(kind, projectedEndpoints(service, { pods: behind, node }));
    });
    this.#forgetOthers(kind, shown);
  }

  #showStatuses(mesh: ProjectedMesh): void {
    for (const owner of this.#store.list(this.#kind("apps", "Deployment")))
      this.#showStatus(owner, deploymentStatus(owner, this.#progress(owner, mesh)));
    for (const owner of this.#store.list(this.#kind("apps", "StatefulSet")))
      this.#showStatus(owner, statefulSetStatus(owner, this.#progress(owner, mesh)));
    const pods = this.#store.list(this.#kind("", "Pod"));
    for (const owner of this.#store.list(this.#kind("batch", "Job"))) {
      const own = pods.filter(({ metadata }) =>
        listAt(metadata, "ownerReferences").some(
          (one) => textAt(one, "uid") === owner.metadata.uid,
        ),
      );
      const phases = own.map((pod) => textAt(pod, "status", "phase"));
      const startedAt = textAt(own[0], "status", "startTime") || timestamp(this.#store.clock);
      if (own.length > 0) this.#showStatus(owner, jobStatus(owner, { phases, startedAt }));
    }
  }

  #progress(owner: KubernetesObject, mesh: ProjectedMesh): OwnerProgress {
    const key = `${owner.kind} ${owner.metadata.namespace}/${owner.metadata.name}`;
    const { facts, observedGeneration } = mesh;
    if (key === `Deployment ${SYSTEM_NAMESPACE}/${CONTROL_PLANE}`) {
      const { ready } = facts.controlPlane;
      const pods = ready ? [{ ready }] : [];
      return { pods, observedGeneration: observedGeneration(owner) };
    }
    const pods = facts.pods.filter(
      (pod) => `${pod.planned.workload.ownerKind} ${ownerKey(pod)}` === key,
    );
    return { pods, observedGeneration: observedGeneration(owner) };
  }

  #ownerOf(pod: PodFacts): KubernetesObject | undefined {
    const { ownerKind, namespace, owner: name } = pod.planned.workload;
    const kind = this.#kind(ownerKind === "Job" ? "batch" : "apps", ownerKind);
    return this.#store.get({ kind, namespace, name });
  }

  #controlPlanePlace(): ObjectPlace {
    const kind = this.#kind("apps", "Deployment");
    return { kind, namespace: SYSTEM_NAMESPACE, name: CONTROL_PLANE };
  }

  #showStatus(object: KubernetesObject, status: JsonObject): void {
    if (isSameJson(object["status"], status)) return;
    const kind = this.#kind(groupOf(object), object.kind);
    this.#commit(placeOf(object, kind), object, { ...object, status }, "status");
  }

  /** What others wrote of it, such as the time of a restart, stays. */
  #show(kind: ServedKind, wanted: KubernetesObject): KubernetesObject {
    const place = placeOf(wanted, kind);
    const before = this.#standing(place, wanted);
    const { clock, newUid } = this.#store;
    if (before === undefined) {
      const metadata = {
        creationTimestamp: timestamp(clock),
        ...(countsGenerations(kind) && { generation: 1 }),
        uid: newUid(),
        ...wanted.metadata,
      };
      return this.#commit(place, undefined, completed(kind, { ...wanted, metadata }));
    }
    if (kind.kind === "Deployment") return before; // the control plane's: users restart it
    const { uid, creationTimestamp, ...metadata } = wanted.metadata;
    const after = completed(kind, {
      ...wanted,
      metadata: {
        ...before.metadata,
        ...metadata,
        ...(uid !== undefined && { uid }),
        ...(creationTimestamp !== undefined && { creationTimestamp }),
      },
    });
    if (isSameJson(comparable(before), comparable(after))) return before;
    return this.#commit(place, before, after);
  }

  /** Whoever has another uid is another: the one before goes first. */
  #standing(place: ObjectPlace, { metadata }: KubernetesObject): KubernetesObject | undefined {
    const before = this.#store.get(place);
    if (before === undefined || metadata.uid === undefined || metadata.uid === before.metadata.uid)
      return before;
    this.#store.commit({ ...place, before, after: undefined });
    return undefined;
  }

  #forgetOthers(kind: ServedKind, shown: readonly KubernetesObject[]): void {
    const kept = new Set(shown.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
    for (const before of this.#store.list(kind)) {
      if (kept.has(`${before.metadata.namespace}/${before.metadata.name}`)) continue;
      this.#store.commit({ ...placeOf(before, kind), before, after: undefined });
    }
  }

  #commit(
    place: ObjectPlace,
    before: KubernetesObject | undefined,
    after: KubernetesObject,
    subresource?: "status",
  ): KubernetesObject {
    const tracked = trackUpdate(place.kind, before, after, {
      manager: MESH_MANAGER,
      apiVersion: after.apiVersion,
      time: timestamp(this.#store.clock),
      ...(subresource && { subresource }),
    });
    return this.#store.commit({ ...place, before, after: tracked });
  }

  #kind(group: string, kind: string): ServedKind {
    const found = this.#kinds.get(kindKey(group, kind));
    if (found === undefined) throw new Error(`the API server has no kind ${kind}`);
    return found;
  }
}

function completed(kind: ServedKind, object: KubernetesObject): KubernetesObject {
  return kind.withDefaults?.(object) ?? object;
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}

function groupOf({ apiVersion }: KubernetesObject): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function ownerKey({ planned: { workload } }: PodFacts): string {
  return `${workload.namespace}/${workload.owner}`;
}

function referenceTo(
  { planned: { workload } }: PodFacts,
  {
    owner,
    set,
  }: {
    readonly owner: KubernetesObject | undefined;
    readonly set: KubernetesObject | undefined;
  },
): PodOwnerReference | undefined {
  const object = workload.ownerKind === "Deployment" ? set : owner;
  if (object === undefined) return undefined;
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, name: metadata.name ?? "", uid: metadata.uid ?? "" };
}

function controllerReference(
  { metadata }: KubernetesObject,
  apiVersion: string,
  kind: string,
): JsonObject {
  const { name = "", uid = "" } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function comparable(object: KubernetesObject): JsonObject {
  const metadata = withoutFields(object.metadata, "resourceVersion", "managedFields");
  return { ...object, metadata };
}
