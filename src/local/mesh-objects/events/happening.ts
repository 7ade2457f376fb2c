/** What has happened to an object, before it is written down as an Event. Source: Kubernetes core/v1 Event. */
import { textAt } from "../../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";

/** Core/v1 ObjectReference, as far as Events say it. */
export interface InvolvedObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** "" for kinds that live in none. */
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  /** Of a part: `spec.containers{app}`. */
  readonly fieldPath?: string;
}

export interface Happening {
  readonly about: InvolvedObject;
  readonly type: "Normal" | "Warning";
  /** One word, for programs: `BackOff`. */
  readonly reason: string;
  readonly message: string;
  /** Whose work it is, as a cluster calls it: `kubelet`. */
  readonly component: string;
  /** How often, where that is more than once. */
  readonly times?: number;
}

/** @param container of a pod, where it is about that alone */
export function involved(
  { apiVersion, kind, metadata }: KubernetesObject,
  container?: string,
): InvolvedObject {
  const { namespace = "", name = "", uid } = metadata;
  return {
    apiVersion,
    kind,
    namespace,
    name,
    ...(uid !== undefined && { uid }),
    ...(container !== undefined && { fieldPath: `spec.containers{${container}}` }),
  };
}

/** What a Kubernetes object says controls it; undefined where nothing does. */
export function controllerOf({ metadata }: KubernetesObject): InvolvedObject | undefined {
  const reference = (metadata.ownerReferences ?? []).find((one) => one["controller"] === true);
  if (reference === undefined) return undefined;
  return {
    apiVersion: textAt(reference, "apiVersion"),
    kind: textAt(reference, "kind"),
    namespace: metadata.namespace ?? "",
    name: textAt(reference, "name"),
    uid: textAt(reference, "uid"),
  };
}
