/**
 * A line that Envoy wrote down of one request or connection, as an entry of our access log. Envoy says what became of it, and
 * of refusals by DENY rules by which; the rest is found by asking the same policies again, as far as what Envoy tells of the
 * traffic goes. Envoy's verdict stands: where ours would be another, its own words are told. Pure.
 */
import type { Decision } from "../policy/decision.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { allowedReason, refusalReason } from "./decision-reasons.ts";
import { type ToldCall, toldCall } from "./told-call.ts";

/** @returns undefined for what is no such line */
export function decidedCall(line: string, view: WorkloadView): AccessLogEntry | undefined {
  const call = toldCall(line);
  return call && { ...call.entry, decision: decisionOf(call, view) };
}

function decisionOf(call: ToldCall, view: WorkloadView): Decision | null {
  const { entry } = call;
  const isJudge = entry.reporter === "destination" || isOfGateway(call, view);
  const refused = refusalReason(call, view, isJudge ? "callee" : "caller");
  if (refused !== undefined) return { verdict: "deny", reason: refused };
  return isJudge && hasPassed(entry)
    ? { verdict: "allow", reason: allowedReason(call, view) }
    : null;
}

/** What a gateway takes is judged there, and told as a call that it makes. */
function isOfGateway({ localPort }: ToldCall, { gateway }: WorkloadView): boolean {
  return (gateway?.listeners ?? []).some(
    ({ containerPort, listen }) => localPort === containerPort || localPort === listen.port,
  );
}

/** Flags of what failed after it had been judged. */
const BEHIND: ReadonlySet<string> = new Set(["UF", "UH", "UO", "UT", "UC", "UR", "URX", "NC"]);

function hasPassed({ upstream_host: host, response_flags: flags }: AccessLogEntry): boolean {
  return host !== null || flags.split(",").some((flag) => BEHIND.has(flag));
}
