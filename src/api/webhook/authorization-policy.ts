/** What istiod's webhook demands of an AuthorizationPolicy, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateAuthorizationPolicy(_request: WebhookRequest): void {}
