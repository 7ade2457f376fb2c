/** What a request for a log, or for a way into a pod, is about: a container of a pod, its sidecar, or the control plane. */

import type { Container } from "../../api/container.ts";
import { listAt, textAt } from "../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { badRequest } from "../api-server/objects/refusals.ts";
import type { LocalMesh } from "../local-mesh.ts";
import { PROXY_CONTAINER } from "../mesh-objects/projection/projected-pod.ts";
import { isControlPlanePod } from "../mesh-objects/projection/system-objects.ts";
import type { Pod } from "../pods/pod.ts";
import type { PodContainer } from "../pods/pod-container.ts";
import type { SupervisedProcess } from "../processes/supervised-process.ts";

export type StreamedPart = { readonly name: string; readonly process: SupervisedProcess } & (
  | {
      readonly kind: "application";
      readonly pod: Pod;
      readonly container: PodContainer;
      readonly written: Container;
    }
  | { readonly kind: "sidecar"; readonly pod: Pod }
  | { readonly kind: "control-plane" }
);

/** Source: kubectl, `polymorphichelpers`. */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

/**
 * @param asked name of a container; null: the one that the pod names as its default, or its first
 * @throws StatusError 400
 */
export function streamedPart(
  mesh: LocalMesh,
  object: KubernetesObject,
  asked: string | null,
): StreamedPart {
  const names = listAt(object, "spec", "containers").map((one) => textAt(one, "name"));
  const named = object.metadata.annotations?.[DEFAULT_CONTAINER] ?? "";
  const name = asked || (names.includes(named) ? named : (names[0] ?? ""));
  const podName = object.metadata.name ?? "";
  if (!names.includes(name)) throw badRequest(`container ${name} is not valid for pod ${podName}`);
  if (isControlPlanePod(object.metadata))
    return { kind: "control-plane", name, process: mesh.controlPlane };
  const pod = runningPod(mesh, object);
  if (name === PROXY_CONTAINER && pod.sidecar !== undefined)
    return { kind: "sidecar", name, pod, process: pod.sidecar };
  const index = pod.plan.containers.findIndex((one) => one.name === name);
  const [container, written] = [pod.containers[index], pod.plan.containers[index]];
  if (container === undefined || written === undefined)
    throw badRequest(
      `container "${name}" in pod "${podName}" is not run by this mesh: somebody else started it`,
    );
  return { kind: "application", name, pod, container, written, process: container.process };
}

/** @throws StatusError 400 */
export function runningPod(mesh: LocalMesh, { metadata }: KubernetesObject): Pod {
  const key = `${metadata.namespace}/${metadata.name}`;
  const pod = mesh.pods.find((one) => one.key === key);
  if (pod === undefined || pod.plan.workload.uid !== metadata.uid)
    throw badRequest(`pod "${metadata.name}" does not run any more`);
  return pod;
}
