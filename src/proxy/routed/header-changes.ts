/**
 * What a route does to the fields of a request or of its answer: they are set first, then added, then removed. Those that
 * are of the connection stay as they are, whatever a view says.
 */
import { isOfConnection } from "../../api/routing/connection-headers.ts";
import type { HeaderChanges, HeaderValue } from "../../api/routing/route-parts.ts";
import type { HeldFields } from "../http/held-fields.ts";

/** @throws RangeError when a name or value cannot be sent as it is, or there is no room for another field */
export function changeFields(
  fields: HeldFields,
  changes: readonly (HeaderChanges | undefined)[],
): void {
  for (const change of changes) {
    if (change === undefined) continue;
    for (const { name, value } of change.set) if (!isOfConnection(name)) fields.set(name, value);
    for (const { name, value } of change.add) if (!isOfConnection(name)) fields.add(name, value);
    for (const name of change.remove) if (!isOfConnection(name)) fields.remove(name);
  }
}

/**
 * Of an answer of our own, as it is to be sent: names and values by turns.
 *
 * @param own what it has by itself
 */
export function answerHeaders(
  own: readonly HeaderValue[],
  { set = [], add = [] }: Partial<HeaderChanges> = {},
): string[] {
  const replaced = new Set(set.map(({ name }) => name));
  return [...own.filter(({ name }) => !replaced.has(name)), ...set, ...add]
    .filter(({ name }) => !isOfConnection(name))
    .flatMap(({ name, value }) => [name, value]);
}

/** @returns undefined where nothing is changed, so that answers go on as they came; it throws as `changeFields` */
export function answerChanger(
  changes: readonly (HeaderChanges | undefined)[],
): ((fields: HeldFields) => void) | undefined {
  const own = changes.filter((change) => change !== undefined);
  return own.length === 0 ? undefined : (fields) => changeFields(fields, own);
}
