/** Which objects count how often what is wanted of them has changed, and when they do. */
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { isSameJson, withoutFields } from "./json-fields.ts";

const COUNTING_GROUPS = ["apps", "batch", "networking.k8s.io", "discovery.k8s.io"];

export function countsGenerations({ origin, group }: ServedKind): boolean {
  return origin === "custom" || COUNTING_GROUPS.includes(group);
}

/** Whether an update leaves the count alone. Of a Deployment, annotations count too: they are copied to what it makes. */
export function keepsGeneration(
  { group, plural }: ServedKind,
  { before, after }: { readonly before: KubernetesObject; readonly after: KubernetesObject },
): boolean {
  if (!isSameWanted(before, after)) return false;
  if (group !== "apps" || plural !== "deployments") return true;
  return isSameJson(before.metadata.annotations ?? {}, after.metadata.annotations ?? {});
}

/** The count as metadata has it after a document was applied; none where such objects do not count. */
export function generationAfter(
  kind: ServedKind,
  {
    before,
    after,
  }: { readonly before: KubernetesObject | undefined; readonly after: KubernetesObject },
): { readonly generation?: number } {
  if (!countsGenerations(kind)) return {};
  if (before === undefined) return { generation: 1 };
  const { generation = 1 } = before.metadata;
  return { generation: isSameWanted(before, after) ? generation : generation + 1 };
}

/** Whether all but metadata and status is the same. */
function isSameWanted(one: KubernetesObject, other: KubernetesObject): boolean {
  return isSameJson(wanted(one), wanted(other));
}

function wanted(object: KubernetesObject): ReturnType<typeof withoutFields> {
  return withoutFields(object, "apiVersion", "kind", "metadata", "status");
}
