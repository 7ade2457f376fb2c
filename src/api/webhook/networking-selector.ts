/** `workloadSelector` of Sidecar, ServiceEntry and EnvoyFilter: its labels stand under `labels` (VAL-3, VAL-4). */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { textPairsIn } from "./written-values.ts";

/** @returns "refused" when there is a fault, after which Istio looks no further */
export function checkNetworkingSelector(spec: Fields): "accepted" | "refused" {
  if (!spec.has("workloadSelector")) return "accepted";
  const labels = spec.section("workloadSelector").section("labels");
  const pairs = textPairsIn(spec.section("workloadSelector"), "labels");
  const faults = pairs.flatMap(([key, value]) => {
    const problem = labelProblem(key, value);
    return problem === undefined ? [] : [{ key, problem }];
  });
  for (const { key, problem } of faults) labels.report(key, problem);
  if (pairs.length === 0) {
    spec.notice(
      "workloadSelector",
      "has no labels, so it applies to all workloads of the namespace",
    );
  }
  return faults.length === 0 ? "accepted" : "refused";
}

function labelProblem(key: string, value: string): string | undefined {
  if (key === "") return "must not be an empty key";
  if (!key.includes("*") && !value.includes("*")) return undefined;
  return `${quoted(`${key}=${value}`)} has a wildcard, which is not supported in a selector`;
}
