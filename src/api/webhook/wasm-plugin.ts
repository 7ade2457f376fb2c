/** What istiod's webhook demands of a WasmPlugin, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validateWasmPlugin(_request: WebhookRequest): void {}
