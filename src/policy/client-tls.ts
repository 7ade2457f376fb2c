/**
 * What a DestinationRule tells a client's sidecar of how to protect its connections to a service (TLS-30..TLS-32,
 * TLS-42). Where none does, mutual TLS is automatic.
 */
import { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import type { ChosenRule } from "./destination-rules.ts";
import { composeTrafficPolicy } from "./effective-traffic-policy.ts";
import type { Destination } from "./workload-view.ts";

/**
 * The destination as the client's sidecar is to reach it. A rule holds for every endpoint, whether it has a sidecar or
 * not (TLS-30). Where none of a rule's names is an identity of the mesh, nobody can be the callee, and no endpoint is
 * left.
 *
 * @param rule the one that counts (TLS-41), if any does
 */
export function withClientTls(destination: Destination, rule: ChosenRule | undefined): Destination {
  const { tls } = composeTrafficPolicy(rule?.trafficPolicy, destination);
  if (rule === undefined || tls === undefined) return destination;
  const { origin } = rule;
  const clientTls = { mode: tls.mode, origin };
  if (tls.mode === "DISABLE") return { ...reachedBy(destination, "plaintext"), clientTls };
  const { sni, subjectAltNames } = tls;
  const identities = subjectAltNames?.flatMap(identityNamed) ?? destination.identities;
  const { endpoints } = reachedBy(destination, "mutual-tls");
  return {
    ...destination,
    clientTls,
    serverName: sni ?? destination.serverName,
    identities,
    endpoints: identities.length === 0 ? [] : endpoints,
  };
}

function reachedBy(destination: Destination, transport: "plaintext" | "mutual-tls"): Destination {
  const mutualTls = transport === "mutual-tls";
  return {
    ...destination,
    endpoints: destination.endpoints.map((endpoint) => ({ ...endpoint, mutualTls })),
  };
}

/** A name of another kind, such as a DNS name, is in no certificate of the mesh. */
function identityNamed(name: string): SpiffeId[] {
  try {
    return [parseSpiffeId(name)];
  } catch (error) {
    if (error instanceof InvalidSpiffeIdError) return [];
    throw error;
  }
}
