/** Fields that stay as they were made. Source: Kubernetes' `pkg/apis`. */
import { valueAt } from "../kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { isSameJson } from "./json-fields.ts";
import type { StatusCause } from "./status-error.ts";

const IMMUTABLE: ReadonlyMap<string, readonly string[]> = new Map([
  ["apps/deployments", ["spec.selector"]],
  ["apps/replicasets", ["spec.selector"]],
  ["apps/statefulsets", ["spec.selector", "spec.serviceName", "spec.podManagementPolicy"]],
  ["batch/jobs", ["spec.selector", "spec.completionMode", "spec.template"]],
  ["/secrets", ["type"]],
  ["rbac.authorization.k8s.io/rolebindings", ["roleRef"]],
  ["rbac.authorization.k8s.io/clusterrolebindings", ["roleRef"]],
]);

/** Kinds that their owner may seal with `immutable: true`. */
const SEALABLE = ["/configmaps", "/secrets"];

interface Versions {
  readonly before: KubernetesObject;
  readonly after: KubernetesObject;
}

export function immutableFieldProblems(
  { group, plural }: ServedKind,
  { before, after }: Versions,
): StatusCause[] {
  const key = `${group}/${plural}`;
  const fields = IMMUTABLE.get(key) ?? [];
  const changed = fields.flatMap((field) => {
    const path = field.split(".");
    const value = valueAt(after, path);
    return isSameJson(valueAt(before, path), value) ? [] : [immutableField(field, value)];
  });
  return SEALABLE.includes(key) ? [...changed, ...sealedProblems({ before, after })] : changed;
}

function immutableField(field: string, value: JsonValue | undefined): StatusCause {
  const message = `Invalid value: ${JSON.stringify(value ?? null)}: field is immutable`;
  return { reason: "FieldValueInvalid", message, field };
}

function sealedProblems({ before, after }: Versions): StatusCause[] {
  if (before["immutable"] !== true) return [];
  const fields = ["immutable", "data", "binaryData"].filter(
    (field) => !isSameJson(before[field], after[field]),
  );
  const message = "Forbidden: field is immutable when `immutable` is set";
  return fields.map((field) => ({ reason: "FieldValueForbidden", message, field }));
}
