/**
 * The annotation in which `kubectl apply` keeps what it applied, as far as server-side apply knows of it.
 * Source: apimachinery, managedfields/internal/lastappliedmanager.go.
 */
import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { compareValues } from "./compare-values.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { withoutManagers } from "./managed-fields.ts";

export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * What `kubectl apply` once wrote and is still as it wrote it: its server-side apply may have that without a conflict.
 *
 * @returns undefined where there is no annotation that tells
 */
export function allowedByLastApplied(
  kind: ServedKind,
  live: KubernetesObject,
): FieldSet | undefined {
  const last = parsed(live.metadata.annotations?.[LAST_APPLIED]);
  if (!isJsonObject(last) || last["apiVersion"] !== live.apiVersion) return undefined;
  const { added, modified, removed } = compareValues(kind.structure, last, withoutManagers(live));
  return fieldsOf(kind.structure, last).difference(modified).difference(added).difference(removed);
}

/** Keeps the annotation true where there is one. */
export function withLastApplied(
  object: KubernetesObject,
  applied: KubernetesObject,
): KubernetesObject {
  const { annotations } = object.metadata;
  if (annotations === undefined || !annotations[LAST_APPLIED]) return object;
  const { [LAST_APPLIED]: _, ...others } = applied.metadata.annotations ?? {};
  const { annotations: __, ...metadata } = applied.metadata;
  const text = sortedText({ ...applied, metadata: withSome(metadata, others) });
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: `${text}\n` } },
  };
}

const withSome = (
  metadata: KubernetesObject["metadata"],
  annotations: { readonly [key: string]: string },
): KubernetesObject["metadata"] =>
  Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations };

/** JSON with the keys in order, as Go writes it. */
function sortedText(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: JsonValue) =>
    isJsonObject(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

function parsed(text: string | undefined): JsonValue | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
