/** What istiod's webhook demands of a Gateway, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateGateway(_request: WebhookRequest): void {}
