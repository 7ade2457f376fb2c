/** Why a caller and a callee do not come to speak at all: one speaks what the other does not accept (TLS-45). */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Reason } from "./decision.ts";
import type { Route } from "./route.ts";
import type { Workload } from "./workload.ts";
import type { InboundPort } from "./workload-view.ts";

/** What the caller's sidecar sets out to do, and where it arrives. */
export interface Arrival {
  /** Who the callee is, if it can prove it; absent on plaintext, where it need not. */
  readonly callee: SpiffeId | undefined;
  readonly to: Pick<Workload, "injected">;
  readonly port: Pick<InboundPort, "mutualTls">;
  readonly route: Route | undefined;
}

/** @returns undefined when the connection comes about */
export function transportRefusal(arrival: Arrival): Reason | undefined {
  const { callee, to, port, route } = arrival;
  if (callee !== undefined) return mutualTlsRefusal(arrival, callee);
  const { mode, origin } = port.mutualTls;
  if (!to.injected || mode !== "STRICT") return undefined;
  return { because: "plaintext-refused", origin, ...chosenBy(route) };
}

/** TLS-30, TLS-32 */
function mutualTlsRefusal({ to, port, route }: Arrival, callee: SpiffeId): Reason | undefined {
  const { mode, origin } = port.mutualTls;
  const { identities = [], clientTls } = route?.destination ?? {};
  const insists = clientTls?.origin ?? "default";
  if (!to.injected) {
    return { because: "callee-not-verified", problem: "it has no sidecar", origin: insists };
  }
  if (mode === "DISABLE") return { because: "tls-refused", origin, ...chosenBy(route) };
  if (identities.includes(callee)) return undefined;
  const accepted = identities.length === 0 ? "an accepted name" : `one of ${identities.join(", ")}`;
  const problem = `"${callee}" is not ${accepted}`;
  return { because: "callee-not-verified", problem, origin: insists };
}

function chosenBy(route: Route | undefined): Pick<Reason & { because: "tls-refused" }, "chosenBy"> {
  const origin = route?.destination.clientTls?.origin;
  return origin === undefined ? {} : { chosenBy: origin };
}
