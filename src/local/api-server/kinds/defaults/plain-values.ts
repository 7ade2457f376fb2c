/**
 * Kubernetes reads its own kinds into types and writes them anew: what says nothing is left out. Source: the `omitempty`
 * of Kubernetes' types.
 */
import { isJsonList, isJsonObject } from "../json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject, ObjectMeta } from "../kubernetes-object.ts";
import { canonicalQuantity } from "./quantity.ts";

/** Maps whose keys are the user's: what they map to stays, even when it is empty; an empty map goes. */
const USERS_MAPS: ReadonlySet<string> = new Set([
  "annotations",
  "binaryData",
  "capacity",
  "data",
  "deprecatedTopology",
  "driverParameters",
  "labels",
  "limits",
  "matchLabels",
  "nodeSelector",
  "overhead",
  "requests",
  "stringData",
]);

/** Of these maps the values are amounts. */
const AMOUNTS: ReadonlySet<string> = new Set(["capacity", "limits", "overhead", "requests"]);

/** Flags and numbers that are not told apart from false and 0. */
const SILENT_ZEROS: ReadonlySet<string> = new Set([
  "failureThreshold",
  "generation",
  "healthCheckNodePort",
  "hostIPC",
  "hostNetwork",
  "hostPID",
  "hostPort",
  "initialDelaySeconds",
  "minReadySeconds",
  "nodePort",
  "paused",
  "periodSeconds",
  "publishNotReadyAddresses",
  "readOnly",
  "stdin",
  "stdinOnce",
  "successThreshold",
  "targetPort",
  "timeoutSeconds",
  "tty",
]);

/** Of status, where numbers are what was counted. */
const SILENT_COUNTS: ReadonlySet<string> = new Set([
  "active",
  "availableReplicas",
  "currentReplicas",
  "failed",
  "observedGeneration",
  "readyReplicas",
  "replicas",
  "succeeded",
  "unavailableReplicas",
  "updatedReplicas",
]);

/** Lists that are written even when nothing is in them. */
const TOLD_LISTS: ReadonlySet<string> = new Set(["addresses", "containers", "endpoints", "verbs"]);

/** What is left of an object of Kubernetes' own kinds. */
export function plainObject(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata, status, ...rest } = object;
  const plain = plainFields(rest);
  return {
    ...plain,
    apiVersion,
    kind,
    metadata: plainMetadata(metadata),
    ...(isJsonObject(status) && { status: plainStatus(kind, status) }),
  };
}

/** What the conditions of a kind always tell, even when it is nothing. */
const TOLD_OF_CONDITIONS: Readonly<Record<string, JsonObject>> = {
  Deployment: { lastTransitionTime: null, lastUpdateTime: null },
  Job: { lastProbeTime: null, lastTransitionTime: null },
  Namespace: { lastTransitionTime: null },
  Pod: { lastProbeTime: null, lastTransitionTime: null },
  ReplicaSet: { lastTransitionTime: null },
  Service: { lastTransitionTime: null, message: "", reason: "", status: "" },
  StatefulSet: { lastTransitionTime: null },
};

function plainStatus(kind: string, status: JsonObject): JsonObject {
  const plain = plainFields(status, SILENT_COUNTS);
  const { conditions } = plain;
  const told = TOLD_OF_CONDITIONS[kind];
  if (told === undefined || !isJsonList(conditions)) return plain;
  const telling = conditions.map((one) => (isJsonObject(one) ? { ...told, ...one } : one));
  return { ...plain, conditions: telling };
}

/** Its managedFields are not looked into: an empty list of them says something. */
export function plainMetadata({ managedFields, ...metadata }: ObjectMeta): ObjectMeta {
  const plain: ObjectMeta = plainFields(metadata);
  return managedFields === undefined ? plain : { ...plain, managedFields };
}

function plainFields(object: JsonObject, silent: ReadonlySet<string> = SILENT_ZEROS): JsonObject {
  const plain = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(object)) {
    const kept = plainValue(name, value, silent);
    if (kept !== undefined) plain.set(name, kept);
  }
  return Object.fromEntries(plain);
}

function plainValue(
  name: string,
  value: JsonValue | undefined,
  silent: ReadonlySet<string>,
): JsonValue | undefined {
  if (value === null || value === "" || value === undefined) return undefined;
  if ((value === 0 || value === false) && silent.has(name)) return undefined;
  if (name === "divisor" || name === "sizeLimit") return canonicalQuantity(value);
  if (isJsonList(value)) {
    const items = value.map((item) => (isJsonObject(item) ? plainFields(item) : item));
    return items.length > 0 || TOLD_LISTS.has(name) ? items : undefined;
  }
  if (!isJsonObject(value)) return value;
  if (!USERS_MAPS.has(name)) return plainFields(value, silent);
  return Object.keys(value).length > 0 ? usersMap(name, value) : undefined;
}

/** Null is read as the empty text, or as no amount. */
function usersMap(name: string, map: JsonObject): JsonObject {
  const read = (value: JsonValue | undefined): JsonValue =>
    AMOUNTS.has(name) ? canonicalQuantity(value ?? "0") : (value ?? "");
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, read(value)]));
}
