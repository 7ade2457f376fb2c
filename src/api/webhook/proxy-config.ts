/** What istiod's webhook demands of a ProxyConfig, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateProxyConfig(_request: WebhookRequest): void {}
