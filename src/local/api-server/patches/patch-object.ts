/** The patches that change an object as a whole; applying is in `apply-object.ts`. */
import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { StatusError } from "../objects/status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { badPatch, invalidPatch } from "./patch-refusals.ts";
import { applyStrategicPatch } from "./strategic-patch.ts";

export interface ObjectPatch {
  readonly type: "json" | "merge" | "strategic";
  readonly body: JsonValue;
}

/**
 * @returns the object as patched; its managedFields are those of `live`, unless the patch names them
 * @throws StatusError 400 for what is no patch, 415 for one that this kind does not take, 422 for one that does not fit
 */
export function patchObject(
  kind: ServedKind,
  live: KubernetesObject,
  { type, body }: ObjectPatch,
): KubernetesObject {
  return asObject(patched(kind, live, { type, body }));
}

function patched(kind: ServedKind, live: KubernetesObject, { type, body }: ObjectPatch): JsonValue {
  if (type === "json") return applyJsonPatch(live, body);
  if (!isJsonObject(body)) throw badPatch("error decoding patch: a patch is an object");
  if (type === "merge") return applyMergePatch(live, body);
  if (kind.origin === "built-in") return applyStrategicPatch(kind.structure, live, body);
  throw new StatusError(415, "UnsupportedMediaType", {
    message:
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
  });
}

/** What identifies an object is still there, and is text; whether it may have changed is another question. */
function asObject(value: JsonValue): KubernetesObject {
  if (!isJsonObject(value)) throw invalidPatch("what is left is no object");
  const { apiVersion, kind, metadata = {} } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isJsonObject(metadata)) {
    throw invalidPatch("apiVersion, kind or metadata is no longer what it must be");
  }
  return { ...value, apiVersion, kind, metadata } as KubernetesObject;
}
