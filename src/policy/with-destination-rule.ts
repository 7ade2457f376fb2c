/** A destination as the DestinationRule that counts for a client wants it called: protected, spread and limited. */
import type { TrafficPolicy } from "../api/traffic-policy.ts";
import type { CredentialLookup } from "./client-credentials.ts";
import { withClientTls } from "./client-tls.ts";
import type { ChosenRule } from "./destination-rules.ts";
import { composeTrafficPolicy, effectiveTrafficPolicy } from "./effective-traffic-policy.ts";
import type { Destination } from "./workload-view.ts";

/**
 * @param rule see `compileDestinationRules`
 * @param credentials the client's own; absent: TLS with others' certificates is possible to nobody
 */
export function withDestinationRule(
  destination: Destination,
  rule: ChosenRule | undefined,
  credentials?: CredentialLookup,
): Destination {
  const reached = withClientTls(destination, rule, { ...(credentials && { credentials }) });
  const policy = rule?.trafficPolicy;
  if (rule === undefined || policy === undefined || !spreads(policy, destination)) return reached;
  const effective = effectiveTrafficPolicy(policy, destination);
  return { ...reached, trafficPolicy: { ...effective, origin: rule.origin } };
}

/** Whether it says anything but how the port is protected; the rule's own pool counts for every port (TLS-42). */
function spreads(policy: TrafficPolicy, { servicePort }: Destination): boolean {
  const { tls: _, ...rest } = composeTrafficPolicy(policy, { servicePort });
  return Object.keys(rest).length > 0 || policy.connectionPool !== undefined;
}
