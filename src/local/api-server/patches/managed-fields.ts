/** Keeps `metadata.managedFields` true when an object is created, updated or patched. */
import { isDeepStrictEqual } from "node:util";
import { emptyFields } from "../kinds/empty-object.ts";
import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { compareValues } from "./compare-values.ts";
import {
  type FieldManagers,
  type ManagedSet,
  managerKey,
  readManagers,
  secondsOf,
  writtenManagers,
} from "./field-managers.ts";
import { exceptReset, takenFromOthers, UNOWNED } from "./ownership.ts";
import { resetFields } from "./reset-fields.ts";
import { trackScale } from "./scale-ownership.ts";

export interface Change {
  /** Who: the parameter `fieldManager`, or the first word of the client's User-Agent; "" is unknown. */
  readonly manager: string;
  /** In which the change was written. */
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly time: string;
  readonly subresource?: "status" | "scale";
}

/** More entries of updates than that are joined, the oldest first. Source: managedfields/internal/fieldmanager.go. */
const MAX_UPDATERS = 10;
const OLD_UPDATES = "ancient-changes";

/** Of nobody: while a change is being judged, its maker is one of the others. */
const CHANGE = "";

/**
 * The object after a create, update or patch, with its managedFields as a Kubernetes API server leaves them.
 *
 * @param before undefined for a create
 * @param after as it will be stored, but for what the server allocates; its managedFields are what the client sent
 */
export function trackUpdate(
  kind: ServedKind,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
  change: Change,
): KubernetesObject {
  const managers = managersToStart(kind, { before, after, change });
  if (managers === undefined) return withManagers(after, new Map());
  if (change.subresource === "scale") {
    return settled(before, withManagers(after, trackScale(managers, { before, after, change })));
  }
  const tracked = capped(trackedManagers(kind, managers, { before, after, change }));
  return settled(before, withManagers(after, tracked));
}

interface Tracked {
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject;
  readonly change: Change;
}

export function trackedManagers(
  kind: ServedKind,
  managers: FieldManagers,
  { before, after, change }: Tracked,
): FieldManagers {
  const reset = resetFields(kind, change.subresource);
  const old = before === undefined ? emptyLike(kind, after) : withoutManagers(before);
  const comparison = exceptReset(compareValues(kind.structure, old, withoutManagers(after)), reset);
  const left = takenFromOthers(managers, CHANGE, comparison);
  const taken = comparison.modified.union(comparison.added).without(reset).difference(UNOWNED);
  if (taken.isEmpty) return left;
  const entry: Omit<ManagedSet, "fields"> = {
    manager: change.manager === "" ? "unknown" : change.manager,
    operation: "Update",
    apiVersion: change.apiVersion,
    subresource: change.subresource ?? "",
    time: change.time,
  };
  const key = managerKey(entry);
  const fields = left.get(key)?.fields.union(taken) ?? taken;
  return new Map([...left, [key, { ...entry, fields }]]);
}

/** @returns undefined for an object that nobody's fields are tracked of */
function managersToStart(
  kind: ServedKind,
  { before, after, change }: Tracked,
): FieldManagers | undefined {
  const kept = readManagers(before?.metadata.managedFields) ?? new Map();
  const sent = change.subresource === undefined ? after.metadata.managedFields : undefined;
  if (sent !== undefined && isReset(kind, sent))
    return before === undefined ? new Map() : undefined;
  const read = readManagers(sent);
  const managers = read === undefined || read.size === 0 ? kept : read;
  return managers.size === 0 && before !== undefined ? undefined : managers;
}

/** One empty entry, for Kubernetes' own kinds also an empty list, says: forget who owned what. */
function isReset(kind: ServedKind, entries: readonly JsonObject[]): boolean {
  if (!Array.isArray(entries)) return false;
  const [only, ...more] = entries;
  if (only === undefined) return kind.origin === "built-in";
  return isJsonObject(only) && more.length === 0 && Object.keys(only).length === 0;
}

function emptyLike(served: ServedKind, { apiVersion, kind }: KubernetesObject): KubernetesObject {
  const fields = served.origin === "built-in" ? emptyFields(kind) : {};
  return { ...fields, apiVersion, kind, metadata: {} };
}

export function withoutManagers(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function withManagers(object: KubernetesObject, managers: FieldManagers): KubernetesObject {
  const managedFields = writtenManagers(managers);
  const bare = withoutManagers(object);
  if (managedFields === undefined) return bare;
  return { ...bare, metadata: { ...bare.metadata, managedFields } };
}

/** Where nothing but times would change, nothing changes. Source: apiserver, fieldmanager/equality.go. */
export function settled(
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): KubernetesObject {
  const [old, fresh] = [before?.metadata.managedFields, after.metadata.managedFields];
  if (before === undefined || old === undefined || fresh === undefined) return after;
  if (!isDeepStrictEqual(old.map(timeless), fresh.map(timeless))) return after;
  if (!isDeepStrictEqual(withoutManagers(before), withoutManagers(after))) return after;
  return { ...after, metadata: { ...after.metadata, managedFields: old } };
}

const timeless = ({ time: _, ...entry }: JsonObject): JsonObject => entry;

function capped(managers: FieldManagers): FieldManagers {
  const updaters = [...managers]
    .filter(([, { operation }]) => operation === "Update")
    .sort(([oneKey, one], [otherKey, other]) => {
      return secondsOf(one) - secondsOf(other) || (oneKey < otherKey ? -1 : 1);
    });
  const left = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  let excess = updaters.length - MAX_UPDATERS;
  for (const [key, updater] of updaters) {
    if (excess <= 0) break;
    const first = firstOfVersion.get(updater.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(updater.apiVersion, key);
      continue;
    }
    const bucket = { ...updater, manager: OLD_UPDATES, subresource: "" };
    const bucketKey = managerKey(bucket);
    const joined = left.get(bucketKey) ?? left.get(first);
    if (!left.has(bucketKey)) left.delete(first);
    left.delete(key);
    left.set(bucketKey, {
      ...bucket,
      fields: joined?.fields.union(updater.fields) ?? updater.fields,
    });
    excess -= 1;
  }
  return left;
}
