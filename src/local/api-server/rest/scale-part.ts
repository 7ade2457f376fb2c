/** How many replicas are wanted, as a resource of its own. Source: autoscaling/v1 Scale. */
import { isJsonObject, numberAt, textAt, textsAt, valueAt } from "../kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { invalidValue } from "../objects/metadata-problems.ts";
import { badRequest, invalid } from "../objects/refusals.ts";

/** As patches know it. */
export const SCALE_KIND: ServedKind = {
  group: "autoscaling",
  versions: ["v1"],
  kind: "Scale",
  plural: "scales",
  singular: "scale",
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ["get", "patch", "update"],
  subresources: [],
  origin: "built-in",
  structure: { type: "deduced", names: "known" },
  columns: [],
};

export function scaleOf({ metadata, ...object }: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = printSelector(valueAt(object, ["spec", "selector"]));
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: numberAt(object, "spec", "replicas") },
    status: {
      replicas: numberAt(object, "status", "replicas"),
      ...(selector === "" ? {} : { selector }),
    },
  };
}

/**
 * The object with as many replicas as a Scale says.
 *
 * @throws StatusError 400, 422
 */
export function withScale(object: KubernetesObject, scale: JsonObject): KubernetesObject {
  const replicas = valueAt(scale, ["spec", "replicas"]) ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas))
    throw badRequest("spec.replicas is not a whole number");
  const { name = "", resourceVersion } = object.metadata;
  if (replicas < 0)
    throw invalid(SCALE_KIND, name, [
      invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"),
    ]);
  const asked = textAt(scale, "metadata", "resourceVersion") || resourceVersion;
  const metadata =
    asked === undefined ? object.metadata : { ...object.metadata, resourceVersion: asked };
  const { spec } = object;
  return { ...object, metadata, spec: { ...(isJsonObject(spec) ? spec : {}), replicas } };
}

function printSelector(selector: ReturnType<typeof valueAt>): string {
  const labels = valueAt(selector, ["matchLabels"]);
  const equal = isJsonObject(labels)
    ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`)
    : [];
  const expressions = valueAt(selector, ["matchExpressions"]);
  const others = Array.isArray(expressions) ? expressions.map(printExpression) : [];
  return [...equal.sort(), ...others].join(",");
}

function printExpression(expression: Parameters<typeof textAt>[0]): string {
  const key = textAt(expression, "key");
  const values = textsAt(expression, "values").toSorted().join(",");
  switch (textAt(expression, "operator")) {
    case "In":
      return `${key} in (${values})`;
    case "NotIn":
      return `${key} notin (${values})`;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return key;
  }
}
