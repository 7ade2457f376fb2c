/** Objects that stand for the mesh's own parts: the control plane shows as Deployment `istiod`, as in a cluster. */
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ObjectPlace } from "../../api-server/objects/object-change.ts";
import type { ObjectStore } from "../../api-server/objects/object-store.ts";
import type { InvolvedObject } from "../events/happening.ts";
import type { MeshFacts } from "./mesh-facts.ts";

export const SYSTEM_NAMESPACE = "istio-system";
export const CONTROL_PLANE = "istiod";
const LABELS = { app: CONTROL_PLANE, istio: "pilot" };

/** Whether it stands for the control plane: the mesh makes nothing of it, but restarts when it is asked to. */
export function isControlPlane({ kind, namespace, name }: ObjectPlace): boolean {
  return kind.kind === "Deployment" && namespace === SYSTEM_NAMESPACE && name === CONTROL_PLANE;
}

/** Whether it is of its one pod. */
export function isControlPlanePod({ namespace, name }: KubernetesObject["metadata"]): boolean {
  return namespace === SYSTEM_NAMESPACE && name === `${CONTROL_PLANE}-0`;
}

/** As events refer to the Deployment. */
export function controlPlaneReference(store: ObjectStore): InvolvedObject {
  const kind = store.kinds.find((one) => one.kind === "Deployment");
  const place = { namespace: SYSTEM_NAMESPACE, name: CONTROL_PLANE };
  const uid = kind && store.get({ kind, ...place })?.metadata.uid;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    ...place,
    ...(uid !== undefined && { uid }),
  };
}

/** The Deployment, which users may restart: the rest of `istiod` follows from it. */
export function controlPlaneDeployment({ controlPlane }: MeshFacts): KubernetesObject {
  const port = Number(controlPlane.listen.split(":").at(-1));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: CONTROL_PLANE,
      namespace: SYSTEM_NAMESPACE,
      labels: LABELS,
      creationTimestamp: controlPlane.startedAt,
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: CONTROL_PLANE,
          containers: [
            {
              name: "discovery",
              image: "hauberk/control-plane",
              args: ["control-plane"],
              ports: [{ containerPort: port, name: "grpc-xds", protocol: "TCP" }],
            },
          ],
        },
      },
    },
  };
}

/** Its one pod. */
export function controlPlanePod(
  { controlPlane, node }: MeshFacts,
  { deployment, owner }: { readonly deployment: KubernetesObject; readonly owner: JsonObject },
): KubernetesObject {
  const { phase, restarts, startedAt, processId, ready } = controlPlane;
  const isRunning = phase === "running";
  const address = controlPlane.listen.split(":")[0] ?? "";
  const template = deployment["spec"] as { readonly template: { readonly spec: JsonObject } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${CONTROL_PLANE}-0`,
      namespace: SYSTEM_NAMESPACE,
      labels: LABELS,
      uid: controlPlane.uid,
      creationTimestamp: startedAt,
      ownerReferences: [owner],
    },
    spec: { ...template.template.spec, nodeName: node },
    status: {
      phase: isRunning ? "Running" : "Pending",
      podIP: address,
      podIPs: [{ ip: address }],
      hostIP: "127.0.0.1",
      startTime: startedAt,
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [
        {
          name: "discovery",
          image: "hauberk/control-plane",
          imageID: "",
          ready,
          started: isRunning,
          restartCount: restarts,
          state: isRunning
            ? { running: { startedAt } }
            : { waiting: { reason: "ContainerCreating" } },
          lastState: {},
          ...(processId !== undefined && { containerID: `process://${processId}` }),
        },
      ],
    },
  };
}
