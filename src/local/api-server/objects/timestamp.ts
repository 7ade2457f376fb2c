/** Times as the Kubernetes API writes them. */
import type { Clock } from "../../../runtime/clock.ts";

/** @returns RFC 3339, whole seconds, UTC */
export function timestamp(clock: Clock, afterSeconds: number = 0): string {
  const time = new Date(clock.now().getTime() + afterSeconds * 1_000);
  return `${time.toISOString().slice(0, 19)}Z`;
}
