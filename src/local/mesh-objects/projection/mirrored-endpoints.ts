/**
 * Where the pods of a Service are reached, as Endpoints: what older programs ask for in place of EndpointSlices.
 * Source: Kubernetes core/v1, and its endpoints controller.
 */
import { listAt, textAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { type ReachedPod, type ReachedPods, slicePort } from "./projected-endpoints.ts";

export function mirroredEndpoints(
  service: KubernetesObject,
  { pods, node }: ReachedPods,
): KubernetesObject {
  const { name = "", namespace = "", creationTimestamp = "", labels = {} } = service.metadata;
  const isHeadless = textAt(service, "spec", "clusterIP") === "None";
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name,
      namespace,
      creationTimestamp,
      labels: {
        ...labels,
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        ...(isHeadless && { "service.kubernetes.io/headless": "" }),
      },
    },
    ...subsetsOf(service, { pods, node }),
  };
}

interface Subset {
  readonly ports: readonly JsonObject[];
  readonly ready: JsonObject[];
  readonly notReady: JsonObject[];
}

/** Pods that are reached on the same ports together: where they share the machine's loopback each has its own. */
function subsetsOf(
  service: KubernetesObject,
  { pods, node }: ReachedPods,
): { readonly subsets?: readonly JsonObject[] } {
  const subsets = new Map<string, Subset>();
  for (const pod of pods) {
    const ports = listAt(service, "spec", "ports").map((port) => portOf(slicePort(port, pod)));
    const key = JSON.stringify(ports);
    const subset = subsets.get(key) ?? { ports, ready: [], notReady: [] };
    subsets.set(key, subset);
    (pod.ready ? subset.ready : subset.notReady).push(addressOf(pod, node));
  }
  if (subsets.size === 0) return {};
  return {
    subsets: [...subsets.values()].map(({ ports, ready, notReady }) => ({
      ...(ready.length > 0 && { addresses: ready }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady }),
      ...(ports.length > 0 && { ports }),
    })),
  };
}

/** Here a port without a name has none, where a slice has an empty one. */
function portOf({ name, ...port }: JsonObject): JsonObject {
  return name === "" ? port : { name, ...port };
}

function addressOf({ planned: { workload } }: ReachedPod, node: string): JsonObject {
  const { namespace, name, uid } = workload;
  return {
    ip: workload.addresses?.ipv4 ?? "127.0.0.1",
    nodeName: node,
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}
