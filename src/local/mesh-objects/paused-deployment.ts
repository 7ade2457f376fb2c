/** A Deployment whose rollout is paused: its pods stay what they are, whatever its template says meanwhile. */
import { objectAt, valueAt } from "../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { newestOf, setsOf, templateOfSet } from "./revisions.ts";

export function isPaused(deployment: KubernetesObject): boolean {
  return valueAt(deployment, ["spec", "paused"]) === true;
}

/** As the mesh is to carry it out. @param sets ReplicaSets of its namespace */
export function carriedOut(
  object: KubernetesObject,
  sets: readonly KubernetesObject[],
): KubernetesObject {
  if (!isPaused(object)) return object;
  const newest = newestOf(setsOf(object, sets));
  if (newest === undefined) return object;
  return { ...object, spec: { ...objectAt(object, "spec"), template: templateOfSet(newest) } };
}
