/** Events as `events.k8s.io/v1` says them: what core/v1 says, under other names. Source: pkg/apis/events/v1/conversion.go. */
import { column } from "./columns.ts";
import { eventColumns } from "./core-kinds.ts";
import { builtIn } from "./kind-parts.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "./kubernetes-object.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

export const EVENTS_GROUP = "events.k8s.io";

/** Names in core/v1, and in `events.k8s.io/v1`. */
const RENAMED: readonly (readonly [core: string, later: string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];
const TO_LATER: ReadonlyMap<string, string> = new Map(RENAMED);
const TO_CORE: ReadonlyMap<string, string> = new Map(RENAMED.map(([core, later]) => [later, core]));

export function laterEvent(event: KubernetesObject): KubernetesObject {
  return { ...renamed(event, TO_LATER), ...heading(event, `${EVENTS_GROUP}/v1`) };
}

export function coreEvent(event: KubernetesObject): KubernetesObject {
  return { ...renamed(event, TO_CORE), ...heading(event, "v1") };
}

function heading({ kind, metadata }: KubernetesObject, apiVersion: string): KubernetesObject {
  return { apiVersion, kind, metadata };
}

function renamed(event: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(
    Object.entries(event).map(([field, value]): [string, JsonValue | undefined] => [
      names.get(field) ?? field,
      value,
    ]),
  );
}

const laterColumns: readonly PrinterColumn[] = eventColumns.map(
  ({ name, description, cell, ...options }) =>
    column(name, description, (event, now) => cell(coreEvent(event), now), options),
);

export const EVENT_KINDS: readonly ServedKind[] = [
  builtIn({
    group: EVENTS_GROUP,
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    structure: structureOf("LaterEvent"),
    columns: laterColumns,
    withDefaults: (event) => event,
  }),
];
