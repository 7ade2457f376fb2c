/** What istiod's webhook demands of a WorkloadGroup. Its template is not judged: the rest of it is filled in later. */
import { checkReadinessProbe } from "./readiness-probe.ts";
import type { WebhookRequest } from "./webhook.ts";
import { checkLabels } from "./workload-labels.ts";

export function validateWorkloadGroup({ spec }: WebhookRequest): void {
  if (!spec.has("template")) {
    spec.report("template", "is missing");
    return;
  }
  checkLabels(spec.section("metadata"), "labels");
  if (spec.has("probe")) checkReadinessProbe(spec.section("probe"));
}
