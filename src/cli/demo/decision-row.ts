/** A line of an access log as a row of the table. Pure. */
import type { Workload } from "../../policy/workload.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { shortenIdentity } from "./actor.ts";
import { decidedBy } from "./decided-by.ts";
import { identitiesOf, verdictOf } from "./finding.ts";
import type { VerdictRow } from "./verdict-table.ts";

/** `inbound|8080||` */
const CLUSTER_PORT = /^[a-z]+\|(\d+)\|/;

/** @param judge whose sidecar wrote the line */
export function decisionRow(entry: AccessLogEntry, judge: Workload): VerdictRow {
  const { decision, source_principal: source, method, path } = entry;
  return {
    number: "",
    caller: source === null ? "unknown" : (shortenIdentity(source).split("/").at(-1) ?? ""),
    callee: calleeOf(entry, judge),
    request: method === null ? "TCP" : `${method} ${path ?? ""}`,
    verdict: verdictOf(entry),
    shade: decision?.verdict === "allow" ? "good" : "bad",
    decidedBy: decision === null ? "" : decidedBy(decision.reason),
    identities: identitiesOf(entry),
  };
}

/** The caller's own sidecar judges who may use it at all: then it is what was called. */
function calleeOf(
  { upstream_cluster, downstream_local_address }: AccessLogEntry,
  judge: Workload,
): string {
  const port =
    CLUSTER_PORT.exec(upstream_cluster ?? "")?.[1] ??
    judge.ports.find(({ listen }) => downstream_local_address?.endsWith(`:${listen.port}`))
      ?.containerPort;
  return port === undefined ? judge.owner : `${judge.owner}:${port}`;
}
