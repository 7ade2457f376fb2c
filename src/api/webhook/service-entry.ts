/** What istiod's webhook demands of a ServiceEntry, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateServiceEntry(_request: WebhookRequest): void {}
