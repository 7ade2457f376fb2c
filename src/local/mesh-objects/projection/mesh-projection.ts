/**
 * Keeps what the API server shows of the running mesh in step with it: pods, replica sets, endpoint slices, statuses, and
 * the mesh's own parts. Nobody else writes those.
 */

import type { RefusedResource } from "../../../control/refused-resources.ts";
import type { Workload } from "../../../policy/workload.ts";
import { listAt, numberAt, objectAt, textAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../api-server/kinds/served-kind.ts";
import type { ObjectPlace } from "../../api-server/objects/object-change.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import { timestamp } from "../../api-server/objects/timestamp.ts";
import { placeOf } from "../object-key.ts";
import { templateOfSet } from "../revisions.ts";
import { FormerTemplates } from "./former-templates.ts";
import type { MeshFacts, PodFacts } from "./mesh-facts.ts";
import { mirroredEndpoints } from "./mirrored-endpoints.ts";
import { ObjectWriter } from "./object-writer.ts";
import {
  deploymentStatus,
  jobStatus,
  type OwnerProgress,
  statefulSetStatus,
} from "./owner-status.ts";
import { projectedEndpoints } from "./projected-endpoints.ts";
import { type PodOwnerReference, projectedPod } from "./projected-pod.ts";
import { controllerReference, ProjectedReplicaSets } from "./projected-replica-sets.ts";
import { RolloutProgress } from "./rollout-progress.ts";
import { isToldRoots, rootCertificateMap } from "./root-certificate-map.ts";
import { ShownRefusals } from "./shown-refusals.ts";
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
  /** The newest generation of an owner that the mesh has taken up. */
  readonly observedGeneration: (owner: KubernetesObject) => number;
  /** Whether it is still busy with what it took up. */
  readonly isBusy: boolean;
}

export class MeshProjection {
  readonly #store: ObjectStore;
  readonly #writer: ObjectWriter;
  readonly #sets: ProjectedReplicaSets;
  readonly #rollouts: RolloutProgress;
  readonly #refusals: ShownRefusals;
  readonly #templates: FormerTemplates = new FormerTemplates();

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#writer = new ObjectWriter(store);
    this.#sets = new ProjectedReplicaSets(this.#writer);
    this.#rollouts = new RolloutProgress(store.clock);
    this.#refusals = new ShownRefusals(this.#writer);
  }

  /** Writes what is not there yet, or is otherwise. */
  show(mesh: ProjectedMesh): void {
    this.#showNamespaces(mesh.facts);
    this.#showRoots(mesh.facts);
    this.#show(this.#kind("apps", "Deployment"), controlPlaneDeployment(mesh.facts));
    const deployments = this.#store.list(this.#kind("apps", "Deployment"));
    const pods = this.#showPods(mesh, this.#sets.showCurrent(deployments));
    this.#sets.finish(deployments, (set) => countedPods(set, pods));
    this.#showServiceAddresses(mesh.facts);
    this.#showEndpoints(mesh.facts);
    this.#showStatuses(mesh);
    this.#refusals.show(mesh.facts.refused);
  }

  /** What somebody wrote and proxies are told of, or a pod; undefined: there is none. */
  objectOf(ref: RefusedResource["ref"]): KubernetesObject | undefined {
    if (ref.kind !== "Pod") return this.#refusals.objectsOf(ref)[0];
    const { namespace, name } = ref;
    return this.#store.get({ kind: this.#kind("", "Pod"), namespace, name });
  }

  #showNamespaces({ pods }: MeshFacts): void {
    const used = this.#store.kinds
      .filter(({ namespaced, plural }) => namespaced && plural !== "events")
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

  #showRoots({ rootPem }: MeshFacts): void {
    if (rootPem === undefined) return;
    const maps = this.#kind("", "ConfigMap");
    for (const { metadata } of this.#store.list(this.#kind("", "Namespace"))) {
      const { name: namespace = "", deletionTimestamp } = metadata;
      if (deletionTimestamp === undefined && isToldRoots(namespace))
        this.#show(maps, rootCertificateMap(namespace, rootPem));
    }
  }

  /** Whether what makes the pod is still there. */
  isOwned({ ownerKind, namespace, owner: name }: Workload): boolean {
    const kind = this.#kind(ownerKind === "Job" ? "batch" : "apps", ownerKind);
    const owner = this.#store.get({ kind, namespace, name });
    return owner !== undefined && owner.metadata.deletionTimestamp === undefined;
  }

  #showPods(
    { facts, observedGeneration }: ProjectedMesh,
    sets: ReadonlyMap<string, KubernetesObject>,
  ): readonly KubernetesObject[] {
    this.#templates.forgetOthers(this.#store.list(this.#kind("apps", "StatefulSet")));
    const kind = this.#kind("", "Pod");
    const shown = facts.pods.map((pod) => {
      const maker = this.#makerOf(pod, sets);
      const template = maker && this.#templateOf(pod, maker, observedGeneration);
      const owner = maker === undefined ? undefined : podOwner(maker);
      return this.#show(kind, projectedPod(pod, { template, owner, node: facts.node }));
    });
    const deployment = this.#store.get(this.#controlPlanePlace());
    const set = sets.get(`${SYSTEM_NAMESPACE}/${CONTROL_PLANE}`);
    if (deployment !== undefined && set !== undefined) {
      const owner = controllerReference(set, "apps/v1", "ReplicaSet");
      shown.push(this.#show(kind, controlPlanePod(facts, { deployment, owner })));
    }
    this.#writer.forgetOthers(kind, shown);
    return shown;
  }

  /** The object that controls it: of a pod that is outdated, the ReplicaSet that it was made from. */
  #makerOf(
    pod: PodFacts,
    sets: ReadonlyMap<string, KubernetesObject>,
  ): KubernetesObject | undefined {
    const { workload } = pod.planned;
    if (workload.ownerKind !== "Deployment") return this.#ownerOf(pod);
    const { namespace, name, uid } = workload;
    const before = this.#store.get({ kind: this.#kind("", "Pod"), namespace, name });
    const known = textAt(before, "metadata", "ownerReferences", 0, "name");
    const isKnown = before?.metadata.uid === uid && known !== "";
    const former =
      pod.outdated === true && isKnown
        ? this.#store.get({ kind: this.#kind("apps", "ReplicaSet"), namespace, name: known })
        : undefined;
    return former ?? sets.get(ownerKey(pod));
  }

  #templateOf(
    pod: PodFacts,
    maker: KubernetesObject,
    observedGeneration: ProjectedMesh["observedGeneration"],
  ): JsonObject {
    if (maker.kind !== "StatefulSet") return templateOfMaker(maker);
    const { namespace, name } = pod.planned.workload;
    const isBehind =
      pod.outdated === true || observedGeneration(maker) < (maker.metadata.generation ?? 1);
    return this.#templates.of({ pod: `${namespace}/${name}`, set: maker, isBehind });
  }

  #showServiceAddresses({ serviceAddresses }: MeshFacts): void {
    const kind = this.#kind("", "Service");
    for (const before of this.#store.list(kind)) {
      const { namespace, name } = before.metadata;
      const clusterIP = serviceAddresses[`${namespace}/${name}`]?.ipv4;
      const spec = objectAt(before, "spec");
      if (clusterIP === undefined || spec["clusterIP"] === clusterIP) continue;
      const after = { ...before, spec: { ...spec, clusterIP, clusterIPs: [clusterIP] } };
      this.#writer.commit(placeOf(before, kind), before, after);
    }
  }

  #showEndpoints({ pods, node }: MeshFacts): void {
    const slices = this.#kind("discovery.k8s.io", "EndpointSlice");
    const mirrors = this.#kind("", "Endpoints");
    const shown = this.#store.list(this.#kind("", "Service")).flatMap((service) => {
      const selector = Object.entries(objectAt(service, "spec", "selector"));
      if (selector.length === 0) return [];
      const behind = pods.filter(
        ({ planned: { workload } }) =>
          workload.namespace === service.metadata.namespace &&
          selector.every(([key, value]) => workload.labels[key] === value),
      );
      const reached = { pods: behind, node };
      return {
        slice: this.#show(slices, projectedEndpoints(service, reached)),
        mirror: this.#show(mirrors, mirroredEndpoints(service, reached)),
      };
    });
    this.#writer.forgetOthers(
      slices,
      shown.map(({ slice }) => slice),
    );
    this.#writer.forgetOthers(
      mirrors,
      shown.map(({ mirror }) => mirror),
    );
  }

  #showStatuses(mesh: ProjectedMesh): void {
    for (const owner of this.#store.list(this.#kind("apps", "Deployment")))
      this.#writer.showStatus(owner, deploymentStatus(owner, this.#progress(owner, mesh)));
    for (const owner of this.#store.list(this.#kind("apps", "StatefulSet")))
      this.#writer.showStatus(owner, statefulSetStatus(owner, this.#progress(owner, mesh)));
    const pods = this.#store.list(this.#kind("", "Pod"));
    for (const owner of this.#store.list(this.#kind("batch", "Job"))) {
      const own = pods.filter(({ metadata }) =>
        listAt(metadata, "ownerReferences").some(
          (one) => textAt(one, "uid") === owner.metadata.uid,
        ),
      );
      const phases = own.map((pod) => textAt(pod, "status", "phase"));
      const startedAt = textAt(own[0], "status", "startTime") || timestamp(this.#store.clock);
      if (own.length > 0) this.#writer.showStatus(owner, jobStatus(owner, { phases, startedAt }));
    }
  }

  #progress(owner: KubernetesObject, mesh: ProjectedMesh): OwnerProgress {
    const known = {
      pods: this.#podsOf(owner, mesh.facts),
      observedGeneration: mesh.observedGeneration(owner),
    };
    return { ...known, stuck: this.#rollouts.isStuck(owner, known, mesh.isBusy) };
  }

  #podsOf(owner: KubernetesObject, facts: MeshFacts): OwnerProgress["pods"] {
    const key = `${owner.kind} ${owner.metadata.namespace}/${owner.metadata.name}`;
    if (key === `Deployment ${SYSTEM_NAMESPACE}/${CONTROL_PLANE}`) {
      const { ready } = facts.controlPlane;
      return ready ? [{ ready }] : [];
    }
    const now = this.#store.clock.now().getTime();
    const least = numberAt(owner, "spec", "minReadySeconds") * 1_000;
    return facts.pods
      .filter((pod) => `${pod.planned.workload.ownerKind} ${ownerKey(pod)}` === key)
      .map(({ ready, readySince = "", outdated }) => ({
        ready,
        ...(outdated && { outdated }),
        isNew: ready && least > 0 && now - Date.parse(readySince) < least,
      }));
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

  #show(kind: ServedKind, wanted: KubernetesObject): KubernetesObject {
    return this.#writer.show(kind, wanted);
  }

  #kind(group: string, kind: string): ServedKind {
    return this.#writer.kind(group, kind);
  }
}

function countedPods(
  set: KubernetesObject,
  pods: readonly KubernetesObject[],
): { readonly total: number; readonly ready: number } {
  const own = pods.filter(
    ({ metadata }) => textAt(metadata, "ownerReferences", 0, "uid") === set.metadata.uid,
  );
  return { total: own.length, ready: own.filter(isReady).length };
}

function isReady(pod: KubernetesObject): boolean {
  return listAt(pod, "status", "conditions").some(
    (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "True",
  );
}

/** Without the label that tells its ReplicaSet: programs and policies do not see it here. */
function templateOfMaker(maker: KubernetesObject): JsonObject {
  return maker.kind === "ReplicaSet" ? templateOfSet(maker) : objectAt(maker, "spec", "template");
}

function ownerKey({ planned: { workload } }: PodFacts): string {
  return `${workload.namespace}/${workload.owner}`;
}

function podOwner({ apiVersion, kind, metadata }: KubernetesObject): PodOwnerReference {
  return { apiVersion, kind, name: metadata.name ?? "", uid: metadata.uid ?? "" };
}
