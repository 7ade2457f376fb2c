/**
 * A line that Envoy wrote down of one request or connection, as an entry of our access log. Envoy says what became of it, and
 * of refusals by DENY rules by which; the rest is found by asking the same policies again, as far as what Envoy tells of the
 * traffic goes. Envoy's verdict stands: where ours would be another, its own words are told. Pure.
 */
import { INBOUND_PASSTHROUGH, inboundClusterName } from "../envoy/istio-names.ts";
import type { Decision } from "../policy/decision.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { formatAddress } from "../proxy/format-address.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { allowedReason, type JudgingSide, refusalReason } from "./decision-reasons.ts";
import { portOf } from "./judged-again.ts";
import { type ToldCall, toldCall } from "./told-call.ts";

/**
 * @param capture present where the kernel leads the pod's connections to Envoy
 * @returns undefined for what is no such line
 */
export function decidedCall(
  line: string,
  view: WorkloadView,
  capture?: CapturedAddresses,
): AccessLogEntry | undefined {
  const call = toldCall(line);
  if (call === undefined) return undefined;
  const decision = decisionOf(call, view, sideOf(call, view, capture));
  return { ...call.entry, ...ofRefusedConnection(call, view, decision), decision };
}

/** A listener knows of no cluster, and Envoy has no details for a handshake: told as our sidecar does. */
function ofRefusedConnection(
  { entry, ...call }: ToldCall,
  view: WorkloadView,
  decision: Decision | null,
): Partial<AccessLogEntry> {
  if (decision === null || entry.method !== null || entry.upstream_cluster !== null) return {};
  const isUntold = call.failedHandshake !== undefined || call.limitedBy !== undefined;
  const details = isUntold ? responseCodeDetails(decision.reason) : undefined;
  return {
    ...(entry.reporter === "destination" && {
      upstream_cluster: calledCluster({ entry, ...call }, view),
    }),
    ...(details !== undefined && { response_code_details: details }),
  };
}

function calledCluster(call: ToldCall, view: WorkloadView): string {
  const port = view.inbound.ports.find(({ containerPort }) => containerPort === portOf(call, view));
  return port === undefined ? INBOUND_PASSTHROUGH : inboundClusterName(port);
}

export type CapturedAddresses = Pick<CaptureSettings, "podAddresses">;

function decisionOf(call: ToldCall, view: WorkloadView, side: JudgingSide): Decision | null {
  const refused = refusalReason(call, view, side);
  if (refused !== undefined) return { verdict: "deny", reason: refused };
  return side !== "caller" && hasPassed(call.entry)
    ? { verdict: "allow", reason: allowedReason(call, view) }
    : null;
}

/** What a gateway takes is judged there, and told as a call that it makes. */
function sideOf(
  { entry, localPort }: ToldCall,
  { gateway }: WorkloadView,
  capture: CapturedAddresses | undefined,
): JudgingSide {
  if (entry.reporter === "destination") return "callee";
  const isOfGateway = (gateway?.listeners ?? []).some(({ containerPort, listen }) =>
    capture === undefined
      ? localPort === listen.port
      : isOwn(entry.downstream_local_address, containerPort, capture),
  );
  return isOfGateway ? "gateway" : "caller";
}

/** A call that the pod makes may be to the same port of another. */
function isOwn(
  address: string | null,
  port: number,
  { podAddresses: { ipv4, ipv6 } }: CapturedAddresses,
): boolean {
  return [ipv4, ipv6].some((own) => formatAddress({ address: own, port }) === address);
}

/** Flags of what failed after it had been judged. */
const BEHIND: ReadonlySet<string> = new Set(["UF", "UH", "UO", "UT", "UC", "UR", "URX", "NC"]);

function hasPassed({ upstream_host: host, response_flags: flags }: AccessLogEntry): boolean {
  return host !== null || flags.split(",").some((flag) => BEHIND.has(flag));
}
