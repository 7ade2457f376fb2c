/**
 * Who owns the number of replicas when it is changed by `/scale`, where it is the only field.
 * Source: apimachinery, managedfields/scalehandler.go.
 */
import { numberAt, valueAt } from "../kinds/json-access.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import { type FieldManagers, type ManagedSet, managerKey } from "./field-managers.ts";
import { FieldSet } from "./field-set.ts";

const REPLICAS: FieldSet = FieldSet.of(["f:spec", "f:replicas"]);
const PATH = ["f:spec", "f:replicas"];

interface Scaled {
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject;
  readonly change: { readonly manager: string; readonly apiVersion: string; readonly time: string };
}

export function trackScale(
  managers: FieldManagers,
  { before, after, change }: Scaled,
): FieldManagers {
  const same = numberAt(before, "spec", "replicas") === numberAt(after, "spec", "replicas");
  if (same && valueAt(before, ["spec", "replicas"]) !== undefined) return managers;
  const left = new Map<string, ManagedSet>();
  for (const [key, entry] of managers) {
    const fields = entry.fields.has(PATH) ? entry.fields.difference(REPLICAS) : entry.fields;
    if (!fields.isEmpty) left.set(key, { ...entry, fields });
  }
  const scaler: ManagedSet = {
    manager: change.manager === "" ? "unknown" : change.manager,
    operation: "Update",
    apiVersion: change.apiVersion,
    subresource: "scale",
    time: change.time,
    fields: REPLICAS,
  };
  return left.set(managerKey(scaler), scaler);
}
