/** What istiod's webhook demands of an EnvoyFilter, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateEnvoyFilter(_request: WebhookRequest): void {}
