/** A duration of a resource whose form the webhook has checked, in milliseconds. */
import type { Fields } from "./decoder.ts";
import { parseDuration } from "./webhook/duration.ts";
import { isText, textIn } from "./webhook/written-values.ts";

const NANOSECONDS_PER_MILLISECOND = 1e6;

/** @returns whole milliseconds, rounded down; undefined when it is absent, or no duration */
export function durationMsIn(fields: Fields, name: string): number | undefined {
  if (!isText(fields, name)) return undefined;
  const nanoseconds = parseDuration(textIn(fields, name));
  if (nanoseconds === undefined) return undefined;
  return Math.floor(Math.max(nanoseconds, 0) / NANOSECONDS_PER_MILLISECOND);
}
