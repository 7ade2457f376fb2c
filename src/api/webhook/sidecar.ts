/** What istiod's webhook demands of a Sidecar, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateSidecar(_request: WebhookRequest): void {}
