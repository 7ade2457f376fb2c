/** What istiod's webhook demands of a RequestAuthentication, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateRequestAuthentication(_request: WebhookRequest): void {}
