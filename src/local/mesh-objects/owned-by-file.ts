/** What a document of the user's files asks for, and which fields are its own once it was applied. */
import type { JsonObject, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { applyObject } from "../api-server/patches/apply-object.ts";
import { FILE_MANAGER, fieldsOfManager } from "./managers.ts";
import type { FileObject } from "./written-files.ts";

const OWNED: WeakMap<KubernetesObject, JsonObject> = new WeakMap();
/** No time is part of what is owned. */
const NO_TIME = "1970-01-01T00:00:00Z";

/**
 * @returns in the form of `fieldsV1`, empty of a document that has but a name; undefined of none. An object whose file still has
 * the word is managed so by `hauberk-up`: who takes a field away takes it from there, and is nowhere noted himself.
 */
export function ownedByFile(file: FileObject | undefined): JsonObject | undefined {
  if (file === undefined) return undefined;
  const known = OWNED.get(file.object);
  if (known !== undefined) return known;
  const { apiVersion } = file.object;
  const change = { manager: FILE_MANAGER, apiVersion, time: NO_TIME, force: true };
  const applied = applyObject(file.place.kind, undefined, wantedOf(file.object), change);
  const owned = fieldsOfManager(applied, FILE_MANAGER);
  OWNED.set(file.object, owned);
  return owned;
}

/** What a file may ask for: what a server once wrote of the object is no wish. */
export function wantedOf({
  metadata,
  status: _status,
  ...rest
}: KubernetesObject): KubernetesObject {
  const { name, namespace, labels, annotations, finalizers } = metadata;
  return {
    ...rest,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
    },
  };
}
