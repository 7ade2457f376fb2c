/** What the control plane sent beside what a sidecar has, in the words of `istioctl proxy-status POD`. Pure. */
import type { EnvoyConfig } from "../../envoy/envoy-json.ts";
import { istioctlJson, sorted } from "./print-dump.ts";
import { unifiedDiff } from "./unified-diff.ts";

const PARTS = [
  ["Clusters", "clusters"],
  ["Listeners", "listeners"],
  ["Routes", "routes"],
] as const satisfies readonly (readonly [string, keyof EnvoyConfig])[];

export interface Comparison {
  readonly lines: readonly string[];
  readonly isSame: boolean;
}

/** @param wanted what the control plane would have it be */
export function compareDumps(wanted: EnvoyConfig, found: EnvoyConfig): Comparison {
  const parts = PARTS.map(([title, part]) => {
    const names = { before: `Control plane ${title}`, after: `Sidecar ${title}` };
    return { title, diff: unifiedDiff(printed(wanted[part]), printed(found[part]), names) };
  });
  return {
    lines: parts.flatMap(({ title, diff }) => (diff.length === 0 ? [`${title} Match`] : diff)),
    isSame: parts.every(({ diff }) => diff.length === 0),
  };
}

function printed(part: unknown): readonly string[] {
  return istioctlJson(sorted(JSON.parse(JSON.stringify(part)))).split("\n");
}
