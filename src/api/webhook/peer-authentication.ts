/** What istiod's webhook demands of a PeerAuthentication, and what it warns of. */
import type { WebhookRequest } from "./webhook.ts";

export function validatePeerAuthentication(_request: WebhookRequest): void {}
