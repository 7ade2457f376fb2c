/** What istiod's webhook demands of a WorkloadGroup, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateWorkloadGroup(_request: WebhookRequest): void {}
