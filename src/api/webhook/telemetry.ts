/** What istiod's webhook demands of a Telemetry, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateTelemetry(_request: WebhookRequest): void {}
