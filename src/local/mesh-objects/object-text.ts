/** An object as a file that a person can read: what the mesh makes of it comes from that text. */
import { yamlText } from "../../api/yaml-text.ts";
import type { JsonObject, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";

const TEXTS: WeakMap<KubernetesObject, string> = new WeakMap();

/** YAML of what somebody wrote. Objects never change, so that each is written once. */
export function objectText(object: KubernetesObject): string {
  const known = TEXTS.get(object);
  if (known !== undefined) return known;
  const text = yamlText(writtenPart(object));
  TEXTS.set(object, text);
  return text;
}

/** Without its status, which the mesh writes, and without its version, which every status changes. */
export function writtenPart({ status: _status, ...object }: KubernetesObject): JsonObject {
  const { resourceVersion: _version, managedFields, ...metadata } = object.metadata;
  const owners = managedFields?.filter(({ subresource }) => subresource !== "status");
  const own = owners !== undefined && owners.length > 0 && { managedFields: owners };
  return { ...object, metadata: { ...metadata, ...own } };
}
