/** Of whose calls a sidecar tells: those that it makes, those that it takes, or both (OBS-11). */
import type { Fields } from "./decoder.ts";

export const WORKLOAD_MODES = ["CLIENT_AND_SERVER", "CLIENT", "SERVER"] as const;
export type WorkloadMode = (typeof WORKLOAD_MODES)[number];

/** `match.mode` of an entry. */
export function workloadMode(entry: Fields): WorkloadMode {
  return entry.section("match").choice("mode", WORKLOAD_MODES, "CLIENT_AND_SERVER");
}
