/** What istiod's webhook demands of a WorkloadEntry, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateWorkloadEntry(_request: WebhookRequest): void {}
