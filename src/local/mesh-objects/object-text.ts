/** An object as a file that a person can read: what the mesh makes of it comes from that text. */
import { yamlText } from "../../api/yaml-text.ts";
import { isJsonObject } from "../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { withoutFields } from "../api-server/objects/json-fields.ts";
import { REVISION } from "./revisions.ts";

const TEXTS: WeakMap<KubernetesObject, string> = new WeakMap();

/** YAML of what somebody wrote. Objects never change, so that each is written once. */
export function objectText(object: KubernetesObject): string {
  const known = TEXTS.get(object);
  if (known !== undefined) return known;
  const text = yamlText(writtenPart(object));
  TEXTS.set(object, text);
  return text;
}

/** Without its status and its revision, which the mesh writes, and without its version, which every status changes. */
export function writtenPart({ status: _status, ...object }: KubernetesObject): JsonObject {
  const { resourceVersion: _version, managedFields, ...written } = object.metadata;
  const metadata = withoutRevision(written);
  const owners = managedFields?.filter(({ subresource }) => subresource !== "status");
  const own = owners !== undefined && owners.length > 0 && { managedFields: owners };
  return { ...object, metadata: { ...metadata, ...own } };
}

function withoutRevision(metadata: JsonObject): JsonObject {
  const annotations = metadata["annotations"];
  if (!isJsonObject(annotations) || annotations[REVISION] === undefined) return metadata;
  const own = withoutFields(annotations, REVISION);
  if (Object.keys(own).length === 0) return withoutFields(metadata, "annotations");
  return { ...metadata, annotations: own };
}
