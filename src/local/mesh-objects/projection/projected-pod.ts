/** A running pod as an object of the Kubernetes API. */

import { listAt, objectAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ContainerFacts, MeshFacts, PodFacts } from "./mesh-facts.ts";

/** Of the sidecar; scripts and people ask for its log by that name. */
export const PROXY_CONTAINER = "istio-proxy";

export interface PodOwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/**
 * @param template `spec.template` of what the pod is made from; undefined for a process that joined
 * @param owner absent for a process that joined
 */
export function projectedPod(
  pod: PodFacts,
  {
    template,
    owner,
    node,
  }: {
    readonly template: JsonObject | undefined;
    readonly owner: PodOwnerReference | undefined;
    readonly node: MeshFacts["node"];
  },
): KubernetesObject {
  const { workload, template: planned } = pod.planned;
  const written = objectAt(template ?? {}, "spec");
  const { initContainers: _init, ...rest } = written;
  const annotations = { ...planned.annotations, ...sidecarStatus(workload.injected) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: workload.name,
      namespace: workload.namespace,
      uid: workload.uid,
      creationTimestamp: pod.startedAt,
      labels: workload.labels,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(owner && {
        ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
      }),
    },
    spec: {
      ...rest,
      containers: [...applicationContainers(pod, written), ...proxyContainer(workload.injected)],
      serviceAccountName: workload.serviceAccount,
      serviceAccount: workload.serviceAccount,
      nodeName: node,
      restartPolicy: planned.restartPolicy,
      dnsPolicy: "ClusterFirst",
    },
    status: podStatus(pod),
  };
}

function sidecarStatus(injected: boolean): Readonly<Record<string, string>> {
  if (!injected) return {};
  const status = { initContainers: null, containers: [PROXY_CONTAINER], volumes: null };
  return { "sidecar.istio.io/status": JSON.stringify(status) };
}

function applicationContainers(pod: PodFacts, written: JsonObject): readonly JsonObject[] {
  const names = new Set(pod.planned.containers.map(({ name }) => name));
  const containers = listAt(written, "containers").filter(isMap);
  if (containers.length > 0)
    return containers.filter(({ name }) => typeof name === "string" && names.has(name));
  const joined = pod.planned.template.containers;
  return joined.map(({ name, image, command, ports }) => ({
    name,
    image,
    command,
    ports: ports.map(({ containerPort }) => ({ containerPort })),
  }));
}

function proxyContainer(injected: boolean): readonly JsonObject[] {
  if (!injected) return [];
  return [{ name: PROXY_CONTAINER, image: "hauberk/sidecar", args: ["proxy", "sidecar"] }];
}

function isMap(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function podStatus(pod: PodFacts): JsonObject {
  const { planned, containers, ready, startedAt } = pod;
  const address = planned.workload.addresses?.ipv4 ?? "127.0.0.1";
  const conditions = [
    condition("PodReadyToStartContainers", true, startedAt),
    condition("Initialized", true, startedAt),
    condition("Ready", ready, startedAt),
    condition("ContainersReady", ready, startedAt),
    condition("PodScheduled", true, startedAt),
  ];
  return {
    phase: phaseOf(pod),
    conditions,
    hostIP: "127.0.0.1",
    hostIPs: [{ ip: "127.0.0.1" }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: startedAt,
    containerStatuses: containers.map((one) => containerStatus(one, startedAt)),
    qosClass: "BestEffort",
  };
}

function condition(type: string, holds: boolean, since: string): JsonObject {
  return {
    type,
    status: holds ? "True" : "False",
    lastProbeTime: null,
    lastTransitionTime: since,
  };
}

function phaseOf({ planned, containers }: PodFacts): string {
  const own = containers.filter(({ name }) => name !== PROXY_CONTAINER);
  if (planned.backoffLimit !== undefined && own.length > 0) {
    const ended = own.every(({ phase }) => phase === "completed" || phase === "stopped");
    if (ended) return own.every(hasSucceeded) ? "Succeeded" : "Failed";
  }
  return containers.some(({ phase }) => phase === "running") ? "Running" : "Pending";
}

function hasSucceeded({ lastExit }: ContainerFacts): boolean {
  return lastExit?.code === 0;
}

function containerStatus(container: ContainerFacts, startedAt: string): JsonObject {
  const { name, restarts, ready, processId, phase } = container;
  return {
    name,
    ready: ready && phase === "running",
    restartCount: restarts,
    image: name === PROXY_CONTAINER ? "hauberk/sidecar" : name,
    imageID: "",
    started: phase === "running",
    state: stateOf(container, startedAt),
    lastState: container.restarts > 0 ? { terminated: terminated(container) } : {},
    ...(processId !== undefined && { containerID: `process://${processId}` }),
  };
}

function stateOf(container: ContainerFacts, startedAt: string): JsonObject {
  switch (container.phase) {
    case "running":
      return { running: { startedAt } };
    case "waiting":
      return { waiting: { reason: "CrashLoopBackOff" } };
    case "completed":
    case "stopped":
      return { terminated: terminated(container) };
    case "starting":
      return { waiting: { reason: "ContainerCreating" } };
  }
}

function terminated({ lastExit }: ContainerFacts): JsonObject {
  const exitCode = lastExit?.code ?? 128;
  return { exitCode, reason: exitCode === 0 ? "Completed" : "Error" };
}
