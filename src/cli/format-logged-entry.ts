/** One access log entry as a line for people: when, who called whom with what, the verdict, and why. Pure. */
import { explain, summarize, summarizeAside } from "../policy/explain.ts";
import { printable } from "../runtime/printable.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import type { LoggedEntry } from "./access-log-tail.ts";
import type { PodAt } from "./pods-by-address.ts";

/** Whether somebody decided, or a call came to nothing; a caller's sidecar logs its calls too, which decide nothing. */
export function isTelling({ entry }: LoggedEntry): boolean {
  return entry.decision !== null || entry.response_flags !== "-";
}

export function isDenied({ entry }: LoggedEntry): boolean {
  return entry.decision?.verdict === "deny";
}

/**
 * Such as `2026-…Z DENIED cluster.local/ns/a/sa/b -> a/api-0:8080 GET /x 403, DENY a/no-x rules[0] (a.yaml:3)`.
 *
 * @param podAt names callers without identity; whoever had an address before is not known
 */
export function formatLoggedEntry(logged: LoggedEntry, podAt: PodAt = () => undefined): string {
  const { entry } = logged;
  const called = `${callerOf(logged, podAt)} -> ${calleeOf(logged)}`;
  const line = [entry.start_time, verdictOf(entry), called, requestOf(entry)].join(" ");
  return printable(`${line}, ${reasonOf(entry)}`);
}

/** Every sentence of the explanation, indented. */
export function explainLoggedEntry({ entry }: LoggedEntry): readonly string[] {
  if (entry.decision === null) return [];
  return explain(entry.decision)
    .split("\n")
    .map((line) => `    ${printable(line)}`);
}

function verdictOf({ decision, response_flags }: AccessLogEntry): string {
  if (decision === null) return response_flags === "-" ? "called" : "FAILED";
  return decision.verdict === "allow" ? "allowed" : "DENIED";
}

/** What a sidecar decides of calls of its own pod; a gateway, which logs as a caller, decides of calls to it. */
const OF_OWN_CALLS: readonly string[] = ["unknown-destination", "not-own-workload"];

function isAtEdge({ reporter, decision }: AccessLogEntry): boolean {
  if (reporter !== "source" || decision === null) return false;
  const { reason } = decision;
  if (reason.because === "network-policy") return reason.direction === "ingress";
  return !OF_OWN_CALLS.includes(reason.because);
}

/** A caller of the mesh. Where the client has proved nothing, and its request went on, the gateway's own identity stands there. */
function provenAtEdge({ pod, entry }: LoggedEntry): string | undefined {
  const { source_principal: principal, upstream_host: wentOn } = entry;
  const own = `/ns/${pod.slice(0, pod.indexOf("/"))}/`;
  if (principal === null || (wentOn !== null && principal.includes(own))) return undefined;
  return principal.replace(/^spiffe:\/\//, "");
}

function callerOf({ pod, entry }: LoggedEntry, podAt: PodAt): string {
  const { downstream_remote_address: remote } = entry;
  if (isAtEdge(entry)) return provenAtEdge({ pod, entry }) ?? `client ${remote ?? ""}`.trimEnd();
  if (isBorrowed(entry)) return `somebody at the outbound side of ${pod}`;
  if (entry.reporter === "source") return pod;
  const principal = entry.source_principal?.replace(/^spiffe:\/\//, "");
  if (principal !== undefined || remote === null) return principal ?? "unknown";
  const now = podAt(remote);
  return `unknown ${remote}${now === undefined ? "" : ` (now ${now})`}`;
}

/** A process of another pod, or of none, called through this one's sidecar. */
function isBorrowed({ decision }: AccessLogEntry): boolean {
  return decision?.reason.because === "not-own-workload";
}

/** Envoy's name of a service of the mesh, as people name it: `NAMESPACE/NAME:PORT`; others as they are. */
function serviceNamed(cluster: string): string {
  const [, port, name, namespace] =
    /^outbound\|(\d+)\|[^|]*\|([^.|]+)\.([^.|]+)\.svc\./.exec(cluster) ?? [];
  return name === undefined ? cluster : `${namespace}/${name}:${port}`;
}

/** Names that say nothing of where a call went: the address does. */
const OF_ANY_ADDRESS: readonly string[] = ["PassthroughCluster", "BlackHoleCluster"];

/** The callee's sidecar knows itself; the caller's knows what was asked for. */
export function calleeOf({ pod, entry }: LoggedEntry): string {
  if (isAtEdge(entry)) return pod;
  const { authority, upstream_cluster: cluster, downstream_local_address: address } = entry;
  if (entry.reporter === "destination") {
    const port =
      cluster === "InboundPassthroughCluster"
        ? /:(\d+)$/.exec(address ?? "")?.[1]
        : /^inbound\|(\d+)\|/.exec(cluster ?? "")?.[1];
    return port === undefined ? pod : `${pod}:${port}`;
  }
  if (authority !== null) return authority;
  if (cluster === null || OF_ANY_ADDRESS.includes(cluster)) return address ?? cluster ?? "unknown";
  return serviceNamed(cluster);
}

/** At an edge hosts are told too: one gateway serves many. */
function requestOf(entry: AccessLogEntry): string {
  const { protocol, method, path, authority, response_code: status } = entry;
  const host = isAtEdge(entry) ? (authority ?? "") : "";
  const request = method === null ? [protocol] : [method, `${host}${path ?? ""}`];
  return [...request, ...(status === null ? [] : [String(status)])].join(" ").trimEnd();
}

function reasonOf(entry: AccessLogEntry): string {
  const { decision } = entry;
  if (decision === null) return failureOf(entry);
  const decided = [summarize(decision.reason), ...summarizeAside(decision)];
  const hasFailed = decision.verdict === "allow" && entry.response_flags !== "-";
  return [...decided, ...(hasFailed ? [failureOf(entry)] : [])].join("; ");
}

/** What a call came to that nobody refused here. */
function failureOf(entry: AccessLogEntry): string {
  const { response_flags, response_code_details, upstream_transport_failure_reason } = entry;
  if (response_flags === "-") return "which was decided where it arrived";
  const isOwn = entry.reporter === "destination" && response_flags === "UF";
  if (isOwn && upstream_transport_failure_reason !== null)
    return `the application is not reached: ${upstream_transport_failure_reason}`;
  const details = [response_code_details, upstream_transport_failure_reason];
  return [response_flags, ...details].filter((part) => part !== null).join(" ");
}
