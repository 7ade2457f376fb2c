/** Where the pods of a Service are reached, as an EndpointSlice. Source: Kubernetes discovery/v1. */
import { listAt, numberAt, textAt, valueAt } from "../../api-server/kinds/json-access.ts";
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../api-server/kinds/kubernetes-object.ts";
import type { MeshFacts, PodFacts } from "./mesh-facts.ts";

export interface ReachedPods {
  /** Those that the Service selects. */
  readonly pods: readonly ReachedPod[];
  readonly node: MeshFacts["node"];
}

export interface ReachedPod extends Pick<PodFacts, "ready"> {
  readonly planned: Pick<PodFacts["planned"], "workload">;
}

export function projectedEndpoints(
  service: KubernetesObject,
  { pods, node }: ReachedPods,
): KubernetesObject {
  const { name = "", namespace = "", uid = "", creationTimestamp = "" } = service.metadata;
  const ports = listAt(service, "spec", "ports");
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${name}-mesh`,
      namespace,
      creationTimestamp,
      labels: {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "Service",
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: "IPv4",
    endpoints: pods.map((pod) => endpointOf(pod, node)),
    ports: ports.map((port) => slicePort(port, pods[0])),
  };
}

function endpointOf({ planned, ready }: ReachedPod, node: string): JsonObject {
  const { workload } = planned;
  return {
    addresses: [workload.addresses?.ipv4 ?? "127.0.0.1"],
    conditions: { ready, serving: ready, terminating: false },
    nodeName: node,
    targetRef: {
      kind: "Pod",
      namespace: workload.namespace,
      name: workload.name,
      uid: workload.uid,
    },
  };
}

/** Where pods share the machine's loopback each listens elsewhere: then the port is that of the first. */
export function slicePort(port: JsonValue, pod: ReachedPod | undefined): JsonObject {
  const target = valueAt(port, ["targetPort"]) ?? numberAt(port, "port");
  const found = pod?.planned.workload.ports.find(
    ({ name, containerPort }) => name === target || containerPort === target,
  );
  const own = pod?.planned.workload.addresses !== undefined;
  const number = own ? found?.containerPort : found?.listen.port;
  const appProtocol = textAt(port, "appProtocol");
  return {
    name: textAt(port, "name"),
    port: number ?? (typeof target === "number" ? target : numberAt(port, "port")),
    protocol: textAt(port, "protocol") || "TCP",
    ...(appProtocol !== "" && { appProtocol }),
  };
}
