/**
 * Who owns the number of replicas when it is changed by `/scale`, where it is the only field.
 * Source: apimachinery, managedfields/scalehandler.go.
 */
import { numberAt } from "../kinds/json-access.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import { type FieldManagers, type ManagedSet, managerKey } from "./field-managers.ts";
import { FieldSet } from "./field-set.ts";

const REPLICAS: FieldSet = FieldSet.of(["f:spec", "f:replicas"]);
const PATH = ["f:spec", "f:replicas"];

interface Scaled {
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject;
  readonly change: { readonly manager: string; readonly apiVersion: string };
}

export function trackScale(
  managers: FieldManagers,
  { before, after, change }: Scaled,
): FieldManagers {
  const owned = [...managers.values()].some(({ fields }) => fields.has(PATH));
  const [old, fresh] = [numberAt(before, "spec", "replicas"), numberAt(after, "spec", "replicas")];
  // Of a number that nobody owns, nobody becomes the owner.
  if (!owned || old === fresh) return managers;
  const left = new Map<string, ManagedSet>();
  for (const [key, entry] of managers) {
    const fields = entry.fields.has(PATH) ? entry.fields.difference(REPLICAS) : entry.fields;
    if (!fields.isEmpty) left.set(key, { ...entry, fields });
  }
  // A scale of none is one that says nothing.
  if (fresh === 0) return left;
  const scaler = {
    manager: change.manager === "" ? "unknown" : change.manager,
    operation: "Update",
    apiVersion: change.apiVersion,
    subresource: "scale",
  } as const;
  const key = managerKey(scaler);
  // Of its first time nothing is told.
  return left.set(key, { ...scaler, time: managers.get(key)?.time, fields: REPLICAS });
}
