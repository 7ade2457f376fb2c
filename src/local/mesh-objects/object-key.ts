/** How objects of the API server are told apart, and which kind of the server a document is of. */

import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../api-server/kinds/served-kind.ts";
import type { ObjectPlace } from "../api-server/objects/object-change.ts";

/** `plural.group/namespace/name`; the namespace is empty for kinds that live in none. */
export function objectKey({ kind, namespace, name }: ObjectPlace): string {
  return `${resourceName(kind)}/${namespace}/${name}`;
}

/** `deployments.apps`, as `kubectl` takes it too. */
export function resourceName({ plural, group }: ServedKind): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** @returns undefined where the server has no such kind */
export function kindOf(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  kinds: readonly ServedKind[],
): ServedKind | undefined {
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  return kinds.find(
    (one) => one.kind === kind && one.group === group && one.versions.includes(version),
  );
}

export function placeOf(object: KubernetesObject, kind: ServedKind): ObjectPlace {
  const { name = "", namespace = "" } = object.metadata;
  return { kind, namespace: kind.namespaced ? namespace : "", name };
}
