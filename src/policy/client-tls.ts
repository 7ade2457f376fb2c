/**
 * What a DestinationRule tells a client's sidecar of how to protect its connections to a service (TLS-30..TLS-32,
 * TLS-37..TLS-42). Where none does, mutual TLS is automatic.
 */
import type { OriginatedTls } from "../api/client-tls.ts";
import { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import type { CredentialLookup } from "./client-credentials.ts";
import type { ChosenRule } from "./destination-rules.ts";
import { composeTrafficPolicy, type TrafficPolicyQuestion } from "./effective-traffic-policy.ts";
import type { TlsOrigination } from "./tls-origination.ts";
import type { Destination } from "./workload-view.ts";

/** Of questions that have nobody's view in mind. */
const NO_CREDENTIALS: CredentialLookup = () => ({
  from: "nowhere",
  problem: "nobody's credentials are meant here",
});

/**
 * The destination as the client's sidecar is to reach it. A rule holds for every endpoint, whether it has a sidecar or
 * not (TLS-30). Where none of a rule's names is an identity of the mesh, nobody can be the callee, and no endpoint is
 * left.
 *
 * @param rule the one that counts (TLS-41), if any does
 * @param options.subset `trafficPolicy` of the subset that is called, if it has one
 */
export function withClientTls(
  destination: Destination,
  rule: ChosenRule | undefined,
  {
    credentials = NO_CREDENTIALS,
    ...question
  }: { readonly credentials?: CredentialLookup } & Pick<TrafficPolicyQuestion, "subset"> = {},
): Destination {
  const { servicePort } = destination;
  const { tls } = composeTrafficPolicy(rule?.trafficPolicy, { servicePort, ...question });
  if (rule === undefined || tls === undefined) return destination;
  const { origin } = rule;
  const clientTls = { mode: tls.mode, origin };
  if (tls.mode === "DISABLE") return { ...reachedBy(destination, "plaintext"), clientTls };
  if (tls.mode !== "ISTIO_MUTUAL") {
    const tlsOrigination = originationOf(tls, destination, credentials(tls, rule));
    return { ...reachedBy(destination, "plaintext"), clientTls, tlsOrigination };
  }
  const { sni, subjectAltNames } = tls;
  const identities = subjectAltNames?.flatMap(identityNamed) ?? destination.identities;
  const isNobody = subjectAltNames !== undefined && identities.length === 0;
  const { endpoints } = reachedBy(destination, "mutual-tls");
  return {
    ...destination,
    clientTls,
    serverName: sni ?? destination.serverName,
    identities,
    endpoints: isNobody ? [] : endpoints,
  };
}

/** TLS-37, TLS-38 */
function originationOf(
  { mode, sni, subjectAltNames, insecureSkipVerify }: OriginatedTls,
  { serviceEntry }: Destination,
  material: TlsOrigination["material"],
): TlsOrigination {
  const names = subjectAltNames ?? serviceEntry?.subjectAltNames;
  const checked = names !== undefined || sni === undefined ? "name" : "authority";
  return {
    mode,
    ...(sni !== undefined && { sni }),
    ...(names !== undefined && { subjectAltNames: names }),
    verification: insecureSkipVerify === true ? "nothing" : checked,
    material,
  };
}

function reachedBy(destination: Destination, transport: "plaintext" | "mutual-tls"): Destination {
  const mutualTls = transport === "mutual-tls";
  const { endpoints, serviceEntry } = destination;
  const { lookUp } = serviceEntry ?? {};
  return {
    ...destination,
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, mutualTls })),
    ...(serviceEntry !== undefined &&
      lookUp !== undefined && {
        serviceEntry: { ...serviceEntry, lookUp: lookUp.map((one) => ({ ...one, mutualTls })) },
      }),
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
