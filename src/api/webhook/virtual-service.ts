/** What istiod's webhook demands of a VirtualService, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateVirtualService(_request: WebhookRequest): void {}
