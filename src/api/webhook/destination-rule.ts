/** What istiod's webhook demands of a DestinationRule, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateDestinationRule(_request: WebhookRequest): void {}
