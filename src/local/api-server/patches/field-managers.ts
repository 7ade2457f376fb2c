/** Who owns what of an object, as `metadata.managedFields` keeps it. Source: apimachinery, managedfields/internal. */
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import { FieldSet } from "./field-set.ts";

export interface ManagedSet {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; absent for who applied what was there already. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** By identity: of one manager, what it applied is one, what it updated one a version and subresource. */
export type FieldManagers = ReadonlyMap<string, ManagedSet>;

type Identity = Omit<ManagedSet, "time" | "fields">;

export function managerKey({ manager, operation, apiVersion, subresource }: Identity): string {
  const version = operation === "Apply" ? "" : apiVersion;
  return JSON.stringify([manager, operation, version, subresource]);
}

/** @returns undefined where it is no list of entries as Kubernetes writes them */
export function readManagers(
  entries: readonly JsonObject[] | undefined,
): FieldManagers | undefined {
  const managers = new Map<string, ManagedSet>();
  if (entries !== undefined && !Array.isArray(entries)) return undefined;
  for (const entry of entries ?? []) {
    const read = readEntry(entry);
    if (read === undefined) return undefined;
    managers.set(managerKey(read), read);
  }
  return managers;
}

function readEntry(entry: unknown): ManagedSet | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { operation, apiVersion, fieldsType, fieldsV1, time } = entry as JsonObject;
  const { manager = "", subresource = "" } = entry as JsonObject;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "" || fieldsType !== "FieldsV1") {
    return undefined;
  }
  if (typeof manager !== "string" || typeof subresource !== "string") return undefined;
  const fields = FieldSet.read(fieldsV1 ?? {});
  if (fields === undefined) return undefined;
  const at = typeof time === "string" ? time : undefined;
  return { manager, operation, apiVersion, subresource, time: at, fields };
}

/** @returns undefined for none */
export function writtenManagers(managers: FieldManagers): readonly JsonObject[] | undefined {
  const written = [...managers.values()].sort(compareManagers).map(writtenEntry);
  return written.length > 0 ? written : undefined;
}

function writtenEntry(entry: ManagedSet): JsonObject {
  return {
    ...(entry.manager !== "" && { manager: entry.manager }),
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time !== undefined && { time: entry.time }),
    fieldsType: "FieldsV1",
    fieldsV1: entry.fields.written(),
    ...(entry.subresource !== "" && { subresource: entry.subresource }),
  };
}

function compareManagers(one: ManagedSet, other: ManagedSet): number {
  return (
    compareTexts(one.operation, other.operation) ||
    secondsOf(one) - secondsOf(other) ||
    compareTexts(one.manager, other.manager) ||
    compareTexts(one.apiVersion, other.apiVersion) ||
    compareTexts(one.subresource, other.subresource)
  );
}

/** Since the epoch; 0 where no time is known. */
export function secondsOf({ time }: ManagedSet): number {
  const at = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(at) ? 0 : Math.floor(at / 1000);
}

const compareTexts = (one: string, other: string): number =>
  one < other ? -1 : one > other ? 1 : 0;
