/** How a Kubernetes API server prints values in the cells of tables. Source: Kubernetes pkg/printers, util/duration. */
import { listAt, objectAt, textAt, textsAt } from "./json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "./kubernetes-object.ts";

/** @param milliseconds of which whole units are told, fewer the longer it is */
export function printedDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? withRest(years, "y", days % 365, "d") : `${years}y`;
}

function withRest(large: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${large}${unit}` : `${large}${unit}${rest}${restUnit}`;
}

/** @param instant RFC 3339, or nothing */
export function printedSince(instant: JsonValue | undefined, now: number): string {
  if (typeof instant !== "string" || instant === "") return "<unknown>";
  const then = Date.parse(instant);
  return Number.isNaN(then) ? "<unknown>" : printedDuration(now - then);
}

export function printedAge(object: KubernetesObject, now: number): string {
  return printedSince(object.metadata.creationTimestamp, now);
}

export const orNone = (text: string): string => (text === "" ? "<none>" : text);

/** A map of labels as `kubectl` takes it for a selector. */
export function printedLabels(labels: JsonObject): string {
  return orNone(equalities(labels).join(","));
}

function equalities(labels: JsonObject): string[] {
  return Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${String(value)}`);
}

/** A LabelSelector as text: `a=b,c in (d,e)`, by key. */
export function printedSelector(selector: JsonObject): string {
  const parts = Object.entries(objectAt(selector, "matchLabels")).map(
    ([key, value]): [string, string] => [key, `${key}=${String(value)}`],
  );
  for (const requirement of listAt(selector, "matchExpressions")) {
    const key = textAt(requirement, "key");
    parts.push([key, printedRequirement(key, requirement)]);
  }
  parts.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  return parts.map(([, text]) => text).join(",");
}

function printedRequirement(key: string, requirement: JsonValue): string {
  const values = [...textsAt(requirement, "values")].sort().join(",");
  switch (textAt(requirement, "operator")) {
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

/** The first three, and how many more. */
export function printedShortList(items: readonly string[]): string {
  if (items.length === 0) return "<unset>";
  const shown = items.slice(0, 3).join(",");
  return items.length > 3 ? `${shown} + ${items.length - 3} more...` : shown;
}
