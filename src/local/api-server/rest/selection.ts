/** Which objects of a collection are wanted. */
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import { parseFieldSelector } from "../objects/field-selector.ts";
import { parseLabelSelector } from "../objects/label-selector.ts";
import type { ApiRequest } from "./api-request.ts";
import type { ResourceTarget } from "./resource-target.ts";

export type Selection = (object: KubernetesObject) => boolean;

/** @throws StatusError 400 */
export function selectionOf({ query }: ApiRequest, target: ResourceTarget): Selection {
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "", target.kind);
  const { namespace, name } = target;
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    labels(object.metadata.labels ?? {}) &&
    fields(object);
}
