/**
 * What an authorizer may change of a head. It never says where a message ends, where it goes, or who called: those names
 * are passed over, and what could not be sent as it is makes its whole answer unusable.
 */
import { FIELD_VALUE, TOKEN } from "../../http/byte-classes.ts";
import { FieldLookup } from "../../http/field-lookup.ts";
import { fieldValue } from "../../http/field-ranges.ts";
import { checkText } from "../../http/http1/write-bytes.ts";
import type { HeldFields } from "../http/held-fields.ts";

export interface FieldChange {
  /** In lower case. */
  readonly name: string;
  /** Each character is one octet. */
  readonly value: string;
  readonly how: "overwrite" | "append" | "add" | "add if absent" | "overwrite if present";
}

/** Of one answer. */
const MOST_CHANGES = 64;
const MOST_OCTETS = 61_440;

/** Framing, routing, this hop alone, and who called (OBS-32). */
const OWN_NAMES: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "http2-settings",
  "x-forwarded-client-cert",
]);

/** Whether a name is ours to write, and nobody else's; many applications read `_` as `-`. @param name in lower case */
export function isOwnName(name: string): boolean {
  const read = name.replaceAll("_", "-");
  return read.startsWith(":") || read.startsWith("x-envoy-") || OWN_NAMES.has(read);
}

/** @throws RangeError where a change could not be sent as it is, or there are too many */
export function checkChanges(changes: readonly FieldChange[]): void {
  if (changes.length > MOST_CHANGES) throw new RangeError("too many headers");
  let octets = 0;
  for (const { name, value } of changes) {
    octets += name.length + value.length;
    if (name === "") throw new RangeError("a header without a name");
    checkText(name, TOKEN);
    checkText(value, FIELD_VALUE);
  }
  if (octets > MOST_OCTETS) throw new RangeError("headers that are too long");
}

/** @throws RangeError when there is no room for them all */
export function applyChanges(fields: HeldFields, changes: readonly FieldChange[]): void {
  for (const { name, value, how } of changes) {
    if (how === "overwrite") fields.set(name, value);
    else if (how === "add") fields.add(name, value);
    else applyByPresence(fields, { name, value, how });
  }
}

function applyByPresence(
  fields: HeldFields,
  { name, value, how }: { name: string; value: string; how: FieldChange["how"] },
): void {
  const known = valueGoingOn(fields, name);
  if (how === "append") fields.set(name, known ? `${known},${value}` : value);
  else if (how === "add if absent" && known === undefined) fields.add(name, value);
  else if (how === "overwrite if present" && known !== undefined) fields.set(name, value);
}

/** What the next one would read: a field that stays here, as one of this hop alone, is not there for him. */
function valueGoingOn(fields: HeldFields, name: string): string | undefined {
  const lookup = new FieldLookup(name);
  const values: string[] = [];
  for (let at = lookup.find(fields); at >= 0; at = lookup.find(fields, at + 1))
    if (fields.goesOn(at)) values.push(fieldValue(fields, at));
  return values.length === 0 ? undefined : values.join(",");
}
