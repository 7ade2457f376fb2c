/** Answers as JSON that is safe to look at: what would steer a terminal is written as an escape, which means the same. */
import { printableJson } from "../runtime/printable.ts";

export function jsonText(data: unknown): string {
  return printableJson(JSON.stringify(data, null, 2));
}
