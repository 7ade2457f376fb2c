/** What istiod's webhook demands of a Sidecar, and what it warns of. */
import { checkConnectionPool } from "./connection-pool.ts";
import { checkNetworkingSelector } from "./networking-selector.ts";
import { checkOutboundTrafficPolicy } from "./outbound-traffic-policy.ts";
import { checkEgressListeners } from "./sidecar-egress.ts";
import { checkIngressListeners } from "./sidecar-ingress.ts";
import type { WebhookRequest } from "./webhook.ts";

export function validateSidecar({ namespace, spec }: WebhookRequest): void {
  const lists = spec.itemCount("ingress") + spec.itemCount("egress");
  if (lists === 0 && !spec.has("outboundTrafficPolicy") && !spec.has("inboundConnectionPool")) {
    spec.reportHere(
      "says nothing; expected ingress, egress, outboundTrafficPolicy or inboundConnectionPool",
    );
    return;
  }
  if (checkNetworkingSelector(spec) === "refused") return;
  checkIngressListeners(spec);
  checkConnectionPool(spec, "inboundConnectionPool");
  checkEgressListeners(spec, namespace);
  checkOutboundTrafficPolicy(spec);
}
