/**
 * Who owns the number of replicas when it is changed by `/scale`, where it is the only field.
 * Source: apimachinery, managedfields/scalehandler.go.
 */
import { numberAt } from "../kinds/json-access.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import { type FieldManagers, type ManagedSet, managerKey } from "./field-managers.ts";
import { FieldSet } from "./field-set.ts";
import type { FieldPath } from "./path-element.ts";

const PATH: FieldPath = ["f:spec", "f:replicas"];
const REPLICAS: FieldSet = FieldSet.of(PATH);
/** In which `/scale` is written: who updated by another version is not found again there. */
const SCALE_VERSION = "autoscaling/v1";

interface Scaled {
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject;
  readonly change: { readonly manager: string; readonly apiVersion: string };
}

export function trackScale(
  managers: FieldManagers,
  { before, after, change }: Scaled,
): FieldManagers {
  const owners = [...managers.values()].filter(({ fields }) => fields.has(PATH));
  // Of a number that nobody owns, nobody becomes the owner.
  if (owners.length === 0) return managers;
  const [old, fresh] = [numberAt(before, "spec", "replicas"), numberAt(after, "spec", "replicas")];
  const scaled: readonly Owner[] = old === fresh ? owners : fresh === 0 ? [] : [scaler(change)];
  const appliers = new Set(scaled.filter(isApplier).map(managerKey));
  const left = new Map<string, ManagedSet>();
  for (const [key, entry] of managers) {
    const fields = appliers.has(key) ? entry.fields : entry.fields.difference(REPLICAS);
    if (!fields.isEmpty) left.set(key, { ...entry, fields });
  }
  for (const owner of scaled) {
    if (isApplier(owner)) continue;
    const key = managerKey({ ...owner, apiVersion: SCALE_VERSION });
    const { apiVersion } = change;
    left.set(key, { ...owner, apiVersion, time: undefined, fields: REPLICAS });
  }
  return left;
}

type Owner = Omit<ManagedSet, "time" | "fields">;

const isApplier = ({ operation }: Owner): boolean => operation === "Apply";

function scaler({ manager, apiVersion }: Scaled["change"]): Owner {
  const named = manager === "" ? "unknown" : manager;
  return { manager: named, operation: "Update", apiVersion, subresource: "scale" };
}
