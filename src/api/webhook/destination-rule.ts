/** What istiod's webhook demands of a DestinationRule, and what it warns of (VAL-60..VAL-65). */
import type { Fields } from "../decoder.ts";
import { checkWorkloadSelector } from "../label-selector.ts";
import { quoted } from "../quoted.ts";
import { checkExportTo } from "./export-to.ts";
import { wildcardHostProblem } from "./host-name.ts";
import { subsetNameProblem } from "./subset-name.ts";
import { checkTrafficPolicy } from "./traffic-policy.ts";
import type { WebhookRequest } from "./webhook.ts";
import { checkLabels } from "./workload-labels.ts";
import { textIn } from "./written-values.ts";

export function validateDestinationRule({ spec, namespace }: WebhookRequest): void {
  checkHost(spec);
  checkTrafficPolicy(spec, { namespace, warnings: "passed on" });
  checkSubsets(spec, namespace);
  const owner = spec.has("workloadSelector") ? "selecting DestinationRule" : "other";
  checkExportTo(spec, { namespace, owner });
  checkWorkloadSelector(spec, "workloadSelector");
}

function checkHost(spec: Fields): void {
  if (!spec.has("host")) {
    spec.report("host", "is missing");
    return;
  }
  const problem = wildcardHostProblem(textIn(spec, "host"));
  if (problem !== undefined) spec.report("host", problem);
}

function checkSubsets(spec: Fields, namespace: string): void {
  const names = new Set<string>();
  for (const subset of spec.list("subsets")) {
    const name = textIn(subset, "name");
    if (names.has(name)) subset.report("name", `${quoted(name)} is given twice`);
    names.add(name);
    const problem = subset.has("name") ? subsetNameProblem(name) : "is missing";
    if (problem !== undefined) subset.report("name", problem);
    checkLabels(subset, "labels");
    checkTrafficPolicy(subset, { namespace, warnings: "dropped" });
  }
}
