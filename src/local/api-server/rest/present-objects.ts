/** Objects in the form that a client asked for: as they are, their metadata alone, or as rows of a table. */
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { withoutFields } from "../objects/json-fields.ts";
import { tableOf } from "../patches/table.ts";
import type { Transformation } from "./accept.ts";

export interface Form {
  readonly kind: ServedKind;
  /** In which the client speaks. */
  readonly apiVersion: string;
  readonly transformation: Transformation | undefined;
  /** Of a table's rows: what stands behind the cells. */
  readonly includeObject: "None" | "Metadata" | "Object";
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
}

export interface ListMeta extends JsonObject {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export function presentObject(object: KubernetesObject, form: Form): JsonObject {
  const { transformation } = form;
  if (transformation === undefined) return asSpoken(object, form);
  if (transformation.as === "Table")
    return presentTable([object], {
      form,
      metadata: { resourceVersion: object.metadata.resourceVersion ?? "" },
    });
  return partial(object, transformation);
}

export function presentList(
  objects: readonly KubernetesObject[],
  { form, metadata }: { readonly form: Form; readonly metadata: ListMeta },
): JsonObject {
  const { kind, apiVersion, transformation } = form;
  if (transformation === undefined)
    return {
      kind: `${kind.kind}List`,
      apiVersion,
      metadata,
      items: objects.map((object) => listed(object, form)),
    };
  if (transformation.as === "Table") return presentTable(objects, { form, metadata });
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${transformation.version}`,
    metadata,
    items: objects.map((object) => partial(object, transformation)),
  };
}

function presentTable(
  objects: readonly KubernetesObject[],
  { form, metadata }: { readonly form: Form; readonly metadata: ListMeta },
): JsonObject {
  const apiVersion = `meta.k8s.io/${form.transformation?.version ?? "v1"}`;
  const shown = objects.map((object) => asSpoken(object, form));
  const table = tableOf(form.kind, shown, { now: form.now, carried: form.includeObject });
  return { ...table, kind: "Table", apiVersion, metadata };
}

/** In a list of Kubernetes' own kinds, items do not say again what they are. */
function listed(object: KubernetesObject, form: Form): JsonObject {
  if (form.kind.origin === "custom") return asSpoken(object, form);
  return withoutFields(object, "apiVersion", "kind");
}

function asSpoken(object: KubernetesObject, { apiVersion }: Form): KubernetesObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function partial({ metadata }: KubernetesObject, { version }: Transformation): JsonObject {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata };
}
