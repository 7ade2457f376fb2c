/** Why a caller and a callee do not come to speak at all: one speaks what the other does not accept (TLS-45). */
import { PeerCertificateError, verifyTrustDomain } from "../identity/peer-certificate.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Reason } from "./decision.ts";
import type { Route } from "./route.ts";
import type { Workload } from "./workload.ts";
import type { InboundPort, Trust } from "./workload-view.ts";

/** What the caller sets out to do, and where it arrives. */
export interface Arrival {
  readonly transport:
    | { readonly kind: "plaintext" }
    | {
        readonly kind: "mutual-tls";
        readonly caller: SpiffeId;
        /** Who the callee is, if it can prove it. */
        readonly callee: SpiffeId;
        readonly accepted: readonly SpiffeId[] | "any";
      };
  readonly to: Pick<Workload, "injected">;
  readonly port: ArrivalPort;
  readonly route: Route | undefined;
  /** Whose identities the callee accepts. */
  readonly trust: Pick<Trust, "trustDomain" | "trustDomainAliases">;
}

type ArrivalPort = Pick<InboundPort, "mutualTls" | "protocol">;

/** Whether TLS, too, is just bytes there (PA-36): the callee's sidecar looks for none. */
export function carriesAnyBytes({ mutualTls: { mode }, protocol }: ArrivalPort): boolean {
  return mode === "DISABLE" && protocol === "tcp";
}

type MutualTls = Extract<Arrival["transport"], { kind: "mutual-tls" }>;

/** @returns undefined when the connection comes about */
export function transportRefusal(arrival: Arrival): Reason | undefined {
  const { transport, to, port, route } = arrival;
  if (transport.kind === "mutual-tls") return mutualTlsRefusal(arrival, transport);
  const { mode, origin } = port.mutualTls;
  if (!to.injected) return undefined;
  if (route?.destination.tlsOrigination !== undefined) return foreignTlsRefusal(port, route);
  if (mode !== "STRICT") return undefined;
  return { because: "plaintext-refused", origin, ...chosenBy(route) };
}

/** TLS of others is bytes to a sidecar that lets plaintext in, where those may be anything; to any other it is a stranger's. */
function foreignTlsRefusal(
  { mutualTls: { mode }, protocol }: ArrivalPort,
  { destination: { clientTls } }: Route,
): Reason | undefined {
  const carriesRequests = protocol === "http" || protocol === "http2";
  if (mode !== "STRICT" && !carriesRequests) return undefined;
  const { namespace, name } = clientTls?.origin.ref ?? { namespace: "", name: "" };
  const problem = `DestinationRule ${namespace}/${name} has TLS of mode ${clientTls?.mode} spoken to it, without a certificate of the mesh`;
  return { because: "peer-not-verified", problem };
}

/** TLS-30, TLS-32; the caller looks at the callee's certificate before the callee looks at the caller's. */
function mutualTlsRefusal(
  { to, port, route, trust }: Arrival,
  { caller, callee, accepted }: MutualTls,
): Reason | undefined {
  const { mode, origin } = port.mutualTls;
  const insists = route?.destination.clientTls?.origin ?? "default";
  if (!to.injected) {
    return { because: "callee-not-verified", problem: "it has no sidecar", origin: insists };
  }
  if (carriesAnyBytes(port)) {
    if (accepted === "any") return undefined;
    const problem = "its sidecar hands TLS to the application there, as mode DISABLE says";
    return { because: "callee-not-verified", problem, origin: insists };
  }
  if (mode === "DISABLE") return { because: "tls-refused", origin, ...chosenBy(route) };
  if (accepted === "any" || accepted.includes(callee)) return callerRefusal(caller, trust);
  const named = accepted.length === 0 ? "an accepted name" : `one of ${accepted.join(", ")}`;
  const problem = `"${callee}" is not ${named}`;
  return { because: "callee-not-verified", problem, origin: insists };
}

/** TLS-4 */
function callerRefusal(caller: SpiffeId, trust: Arrival["trust"]): Reason | undefined {
  try {
    verifyTrustDomain(caller, trust);
    return undefined;
  } catch (error) {
    if (!(error instanceof PeerCertificateError)) throw error;
    return { because: "peer-not-verified", problem: error.message };
  }
}

function chosenBy(route: Route | undefined): Pick<Reason & { because: "tls-refused" }, "chosenBy"> {
  const origin = route?.destination.clientTls?.origin;
  return origin === undefined ? {} : { chosenBy: origin };
}
