/** Who wrote what of an object, as far as it decides where the mesh reads it. */
import { objectAt } from "../api-server/kinds/json-access.ts";
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../api-server/kinds/kubernetes-object.ts";
import { isSameJson } from "../api-server/objects/json-fields.ts";

/** Applies what the files of `hauberk up -f` say. */
export const FILE_MANAGER = "hauberk-up";
/** Writes what the mesh finds: statuses, addresses, pods. */
export const MESH_MANAGER = "hauberk";

/**
 * "files": as its file says it; "mesh": nobody wrote it; "others": whoever else, alone or beside the files, so that the
 * object itself is what counts.
 */
export type Origin = "files" | "mesh" | "others";

/**
 * @param ownedByFile what the document of the files owns where nobody has changed it since; undefined where no file names the
 * object. Of whoever only takes fields away the server notes nothing: that the files own less tells of it.
 */
export function originOf(object: KubernetesObject, ownedByFile: JsonObject | undefined): Origin {
  const managers = managersOf(object);
  const others = managers.some((manager) => manager !== FILE_MANAGER && manager !== MESH_MANAGER);
  if (others) return "others";
  if (ownedByFile !== undefined) {
    const isAsWritten = isSameJson(fieldsOfManager(object, FILE_MANAGER), ownedByFile);
    if (!isAsWritten || (managers.length === 0 && !saysNothing(object))) return "others";
    return isScaled(object) ? "others" : "files";
  }
  if (managers.length === 0) return "others";
  if (!managers.includes(FILE_MANAGER)) return "mesh";
  return isScaled(object) ? "others" : "files";
}

/** In the form of `fieldsV1`, its status left out; empty of whoever manages nothing. */
export function fieldsOfManager({ metadata }: KubernetesObject, name: string): JsonObject {
  const entry = (metadata.managedFields ?? []).find(
    ({ manager, subresource }) => manager === name && subresource !== "status",
  );
  return objectAt(entry, "fieldsV1");
}

export function isFromFiles(object: KubernetesObject): boolean {
  return managersOf(object).includes(FILE_MANAGER);
}

/** What the server completes. */
const UNSAID_REPLICAS = 1;

/** Of a number of replicas that no file says, `/scale` makes nobody the owner: that it is another has to tell. */
function isScaled(object: KubernetesObject): boolean {
  const replicas = objectAt(object, "spec")["replicas"];
  const isOwned = (object.metadata.managedFields ?? []).some(
    ({ fieldsV1 }) => objectAt(fieldsV1, "f:spec")["f:replicas"] !== undefined,
  );
  return !isOwned && typeof replicas === "number" && replicas !== UNSAID_REPLICAS;
}

/** The server writes it on every namespace. */
const OWN_LABEL = "kubernetes.io/metadata.name";

/** Whether an object has but a name, and what the server itself adds. */
function saysNothing({ metadata, ...object }: KubernetesObject): boolean {
  const { apiVersion: _apiVersion, kind, status: _status, ...rest } = object;
  const labels = Object.keys(metadata.labels ?? {}).filter((label) => label !== OWN_LABEL);
  const annotations = Object.keys(metadata.annotations ?? {});
  const fields = Object.keys(rest).filter((field) => kind !== "Namespace" || field !== "spec");
  return [...labels, ...annotations, ...fields].length === 0;
}

/** Of all but the status. */
function managersOf({ metadata }: KubernetesObject): readonly JsonValue[] {
  return (metadata.managedFields ?? []).flatMap(({ manager, subresource }) =>
    manager === undefined || subresource === "status" ? [] : [manager],
  );
}
