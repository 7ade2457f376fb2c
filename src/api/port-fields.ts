/** What the ports of services and of containers have in common. */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

/** 1 to 65535; 0, with an issue, when missing or wrong. */
export function requiredPort(fields: Fields, name: string): number {
  if (!fields.has(name)) fields.report(name, "is missing; expected a number from 1 to 65535");
  return fields.integer(name, { min: 1, max: 65_535 }) ?? 0;
}

/** Only TCP is carried. */
export function transportProtocol(fields: Fields): void {
  const protocol = fields.choice("protocol", ["TCP", "UDP", "SCTP"], "TCP");
  if (protocol !== "TCP") fields.report("protocol", `not supported yet: ${protocol}; only TCP is`);
}

/** Reports every item whose `field` has a value that an item before it has too; "" and 0 are no values. */
export function reportTwice(
  items: readonly Fields[],
  { field, values }: { readonly field: string; readonly values: readonly (string | number)[] },
): void {
  const seen = new Set<string | number>();
  for (const [index, item] of items.entries()) {
    const value = values[index];
    if (!value) continue;
    if (seen.has(value)) item.report(field, `${quoted(String(value))} is given twice`);
    seen.add(value);
  }
}
