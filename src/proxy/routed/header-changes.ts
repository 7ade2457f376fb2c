/** What a route does to the fields of a request or of its answer: they are set first, then added, then removed. */
import type { HeaderChanges } from "../../api/routing/route-parts.ts";
import type { HeldFields } from "../http/held-fields.ts";

/** @throws RangeError when a name or value cannot be sent as it is, or there is no room for another field */
export function changeFields(
  fields: HeldFields,
  changes: readonly (HeaderChanges | undefined)[],
): void {
  for (const change of changes) {
    if (change === undefined) continue;
    for (const { name, value } of change.set) fields.set(name, value);
    for (const { name, value } of change.add) fields.add(name, value);
    for (const name of change.remove) fields.remove(name);
  }
}

/** @returns undefined where nothing is changed, so that answers go on as they came; it throws as `changeFields` */
export function answerChanger(
  changes: readonly (HeaderChanges | undefined)[],
): ((fields: HeldFields) => void) | undefined {
  const own = changes.filter((change) => change !== undefined);
  return own.length === 0 ? undefined : (fields) => changeFields(fields, own);
}
