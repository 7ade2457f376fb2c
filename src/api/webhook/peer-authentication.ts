/** What istiod's webhook demands of a PeerAuthentication, and what it warns of (VAL-3, VAL-4, VAL-10..VAL-12). */
import { checkWorkloadSelector } from "../label-selector.ts";
import type { WebhookRequest } from "./webhook.ts";

const MAX_PORT = 65_535;

export function validatePeerAuthentication({ spec }: WebhookRequest): void {
  checkWorkloadSelector(spec);
  if (!spec.mentions("portLevelMtls")) return;
  if (spec.saysNothing("portLevelMtls")) {
    spec.report("portLevelMtls", "must have at least one port, or be left out");
  } else if (spec.section("selector").saysNothing("matchLabels")) {
    spec.report(
      "portLevelMtls",
      "needs a selector: a policy of a mesh or namespace cannot have it",
    );
  }
  const ports = spec.section("portLevelMtls");
  for (const port of ports.names()) {
    if (!isPort(port)) ports.report(port, "is not a port: expected a number from 1 to 65535");
  }
}

function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= MAX_PORT;
}
