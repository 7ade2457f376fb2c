/** Who wrote what of an object, as far as it decides where the mesh reads it. */
import type { JsonValue, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";

/** Applies what the files of `hauberk up -f` say. */
export const FILE_MANAGER = "hauberk-up";
/** Writes what the mesh finds: statuses, addresses, pods. */
export const MESH_MANAGER = "hauberk";

/**
 * "files": as its file says it; "mesh": nobody wrote it; "others": whoever else, alone or beside the files, so that the
 * object itself is what counts.
 */
export type Origin = "files" | "mesh" | "others";

/** @param inFile whether a file names it: nobody manages anything of an object that has but a name */
export function originOf(object: KubernetesObject, inFile: boolean): Origin {
  const managers = managersOf(object);
  const others = managers.some((manager) => manager !== FILE_MANAGER && manager !== MESH_MANAGER);
  if (others) return "others";
  if (managers.length === 0) return inFile ? "files" : "others";
  return managers.includes(FILE_MANAGER) ? "files" : "mesh";
}

export function isFromFiles(object: KubernetesObject): boolean {
  return managersOf(object).includes(FILE_MANAGER);
}

/**
 * Also where the file has but a name, so that nothing of it is managed: the server tells no owners of changes to an object
 * that has none, and it would not be known who labelled it.
 */
export function managedByFiles(
  object: KubernetesObject,
  { apiVersion, time }: { readonly apiVersion: string; readonly time: string },
): KubernetesObject {
  if ((object.metadata.managedFields ?? []).length > 0) return object;
  const nothing = { apiVersion, time, fieldsType: "FieldsV1", fieldsV1: {} };
  const managedFields = [{ manager: FILE_MANAGER, operation: "Apply" as const, ...nothing }];
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Of all but the status. */
function managersOf({ metadata }: KubernetesObject): readonly JsonValue[] {
  return (metadata.managedFields ?? []).flatMap(({ manager, subresource }) =>
    manager === undefined || subresource === "status" ? [] : [manager],
  );
}
