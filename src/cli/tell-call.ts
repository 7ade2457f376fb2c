/** A line of a sidecar's own access log as Istio's sidecars log it: for those who read logs by `kubectl`. */
import { ISTIO_TEXT } from "../api/istio-log-formats.ts";
import type { ToldCall } from "../local/pod-streams/logs/proxy-log.ts";
import type { Judged } from "../policy/decision.ts";
import { ruleId } from "../policy/rule-id.ts";
import { printable } from "../runtime/printable.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { compileLogFormat } from "../telemetry/log-line.ts";
import { parseLogEntry } from "./parse-log-entry.ts";

const formatCall = compileLogFormat({ encoding: "TEXT", template: ISTIO_TEXT });

/** @returns undefined for what is no line of that log */
export function tellCall(line: string): ToldCall | undefined {
  const entry = parseLogEntry(line);
  if (entry === undefined) return undefined;
  const time = entry.start_time;
  const remark = (text: string): string =>
    `${printable(time)}\tdebug\tenvoy rbac\t${printable(text)}`;
  return {
    time,
    access: formatCall({ entry, startedAt: new Date(time), requestHeaders: headersOf(entry) }),
    remarks: remarksOf(entry).map(remark),
  };
}

/** AP-135: what RBAC refuses, and what it would on trial; nothing of what policies let through. */
function remarksOf({ reporter, decision, ...entry }: AccessLogEntry): readonly string[] {
  if (decision === null || reporter !== "destination") return [];
  const { dryRun } = decision;
  const details = entry.response_code_details ?? entry.connection_termination_details;
  const remarks: string[] = [];
  if (dryRun?.verdict === "deny")
    remarks.push(
      `shadow denied, matched policy ${policyOf(dryRun)}, shadow_policy=${policyOf(dryRun)}, enforced ${decision.verdict === "deny" ? "denied" : "allowed"}, enforced_policy=${policyOf(decision)}`,
    );
  if (isRefusedByPolicy(decision))
    remarks.push(
      `enforced denied, matched policy ${policyOf(decision)}, enforced_policy=${policyOf(decision)}${details === null ? "" : ` ${details}`}`,
    );
  return remarks;
}

function isRefusedByPolicy({ verdict, reason: { because } }: Judged): boolean {
  return (
    verdict === "deny" &&
    (because === "matched-deny" || because === "no-allow-matched" || because === "no-authorizer")
  );
}

/** As Envoy names the rules that Istio makes: `ns[a]-policy[b]-rule[0]`. */
function policyOf({ reason }: Judged): string {
  return "matched" in reason ? ruleId(reason.matched) : "none";
}

function headersOf(entry: AccessLogEntry): { get(name: string): string | undefined } {
  const known = new Map([
    ["x-forwarded-for", entry.x_forwarded_for],
    ["user-agent", entry.user_agent],
    ["x-request-id", entry.request_id],
  ]);
  return { get: (name) => known.get(name) ?? undefined };
}
