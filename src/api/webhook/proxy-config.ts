/** What istiod's webhook demands of a ProxyConfig, and what it warns of. */
import { checkWorkloadSelector } from "../label-selector.ts";
import type { WebhookRequest } from "./webhook.ts";

export function validateProxyConfig({ spec }: WebhookRequest): void {
  checkWorkloadSelector(spec);
  const concurrency = spec.scalar("concurrency")?.value;
  if (typeof concurrency === "number" && concurrency < 0) {
    spec.report("concurrency", `is ${concurrency}; expected 0, for all cores, or more`);
  }
}
