/** The headers of a request as authorizers are told of them: names in lower case, each once, all its values (EA-23, EA-32). */
import { FIELD } from "../../http/field-names.ts";
import { fieldName } from "../../http/field-ranges.ts";
import type { HeldFields } from "../http/held-fields.ts";

/** Says whether a body is told whole (EA-8). */
export const PARTIAL_BODY = "x-envoy-auth-partial-body";

/**
 * @returns by name the places of its values, of those that go on. Not among them are `host`, which is told as the
 *   authority, and what is ours to say
 */
export function toldFields(fields: HeldFields): ReadonlyMap<string, readonly number[]> {
  const told = new Map<string, number[]>();
  for (let index = 0; index < fields.count; index++) {
    if (fields.ids[index] === FIELD.host || !fields.goesOn(index)) continue;
    const name = fieldName(fields, index).toLowerCase();
    if (name === PARTIAL_BODY) continue;
    const places = told.get(name);
    if (places === undefined) told.set(name, [index]);
    else places.push(index);
  }
  return told;
}

/** EA-23: of the connection between client and sidecar, as what came says it. */
export function schemeOf(fields: HeldFields): string {
  return fields.get("x-forwarded-proto") === "https" ? "https" : "http";
}
