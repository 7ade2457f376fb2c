import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { badRequest } from "../objects/refusals.ts";
export function patchObject(
  _kind: ServedKind,
  live: KubernetesObject,
  { body }: { readonly type: "json" | "merge" | "strategic"; readonly body: JsonValue },
): KubernetesObject {
  const merge = (a: JsonValue | undefined, b: JsonValue | undefined): JsonValue | undefined => {
    if (!isJsonObject(b)) return b;
    const out: Record<string, JsonValue | undefined> = isJsonObject(a) ? { ...a } : {};
    for (const [k, v] of Object.entries(b))
      if (v === null) delete out[k];
      else out[k] = merge(out[k], v);
    return out;
  };
  return merge(live, body) as KubernetesObject;
}
export function applyObject(
  kind: ServedKind,
  live: KubernetesObject | undefined,
  applied: KubernetesObject,
  _change: unknown,
): KubernetesObject {
  return live === undefined ? applied : patchObject(kind, live, { type: "merge", body: applied });
}
export function tableOf(
  kind: ServedKind,
  objects: readonly KubernetesObject[],
  { now }: { now: number },
): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: {},
    columnDefinitions: kind.columns.map(({ cell: _, ...c }) => ({ ...c })),
    rows: objects.map((object) => ({
      cells: kind.columns.map((c) => c.cell(object, now)),
      object: {
        kind: "PartialObjectMetadata",
        apiVersion: "meta.k8s.io/v1",
        metadata: object.metadata,
      },
    })),
  };
}
export function decodeProtobufBody(_bytes: Uint8Array): KubernetesObject {
  throw badRequest("protobuf not yet");
}
