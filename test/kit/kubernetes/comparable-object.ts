/** What an API server answers, without what differs from run to run. */
import { createHash } from "node:crypto";
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";

/** Given out by the server, and by nobody asked for. */
const ALLOCATED = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];
const OWN = ["uid", "resourceVersion", "creationTimestamp", "selfLink"];

/** Times of managers count from the object's creation, in seconds. */
export function comparableObject(object: KubernetesObject): KubernetesObject {
  const born = Date.parse(object.metadata.creationTimestamp ?? "");
  const { spec } = object;
  const managedFields = object.metadata.managedFields?.map((entry): JsonObject => {
    const { time } = entry;
    return typeof time === "string" ? { ...entry, time: (Date.parse(time) - born) / 1000 } : entry;
  });
  const metadata = { ...without(object.metadata, OWN), ...(managedFields && { managedFields }) };
  const allocated = object.kind === "Service" ? ALLOCATED : [];
  const bare = spec === undefined ? {} : { spec: without(spec as JsonObject, allocated) };
  return { ...object, ...bare, metadata };
}

function without(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !fields.includes(name)));
}

/** Short for the whole: the same for the same fields, in whatever order. */
export function digestOf(value: JsonValue): string {
  return createHash("sha256").update(sorted(value)).digest("hex").slice(0, 12);
}

function sorted(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

/** What is kept of one operation of a sequence. */
export interface RecordedStep {
  readonly status: number;
  /** Of the object as it is afterwards; absent where there is none. */
  readonly digest?: string;
  /** Seconds from the object's creation to the newest change of it. */
  readonly at?: number;
  /** Whether the version of the object was still the same. */
  readonly unchanged?: true;
  /** Of a refusal. */
  readonly refusal?: JsonObject;
}

export interface RecordedSequence {
  readonly seed: number;
  readonly steps: readonly RecordedStep[];
  /** At the end. */
  readonly object: JsonObject | null;
}
