/** Names that are asked for again and again, each made ready once. */
import { FieldLookup } from "../../http/field-lookup.ts";

/** By name in lower case. Names come from policies and from ourselves, never from a stranger. */
const lookups = new Map<string, FieldLookup>();
const MAX_LOOKUPS = 4_096;

/** @param name in lower case */
export function lookupOf(name: string): FieldLookup {
  const known = lookups.get(name);
  if (known !== undefined) return known;
  if (lookups.size >= MAX_LOOKUPS) lookups.clear();
  const lookup = new FieldLookup(name);
  lookups.set(name, lookup);
  return lookup;
}
