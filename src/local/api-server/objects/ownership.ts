import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
export function trackUpdate(
  _kind: ServedKind,
  _before: KubernetesObject | undefined,
  after: KubernetesObject,
  _change: unknown,
): KubernetesObject {
  return after;
}
