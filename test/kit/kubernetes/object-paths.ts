/** Where an API server keeps objects. */
import type { KubernetesObject } from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../../src/local/api-server/kinds/served-kind.ts";
import { SERVED_KINDS } from "../../../src/local/api-server/kinds/served-kinds.ts";

/** @throws Error for an object of a kind that is not served */
export function servedKindOf({
  apiVersion,
  kind,
}: Pick<KubernetesObject, "apiVersion" | "kind">): ServedKind {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  const found = SERVED_KINDS.find((one) => one.group === group && one.kind === kind);
  if (found === undefined) throw new Error(`${kind} of ${apiVersion} is not served`);
  return found;
}

export function collectionPath(object: KubernetesObject, namespace: string): string {
  const { apiVersion } = object;
  const { plural, namespaced } = servedKindOf(object);
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespaced ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
}
