/** What Envoy's sidecars say in a span of one request, under Envoy's names; every value is text there. */
import { type LoggedCall, requestHeader, responseHeader, upstreamCluster } from "../logged-call.ts";
import { addressParts } from "../operator-values.ts";

export interface SpanFacts {
  readonly nodeId: string;
  /** Of a path, in characters. */
  readonly maxPathLength: number;
}

/** Of what a stranger wrote. */
const MAX_CHARACTERS = 1_024;

/** By name, in the order of Envoy. */
export function spanAttributes(call: LoggedCall, facts: SpanFacts): Map<string, string> {
  const { entry } = call;
  const attributes = new Map<string, string>([["node_id", facts.nodeId]]);
  const tell = (name: string, value: string | null | undefined): void => {
    if (value) attributes.set(name, value.slice(0, MAX_CHARACTERS));
  };
  tell("guid:x-request-id", requestHeader(call, "x-request-id"));
  tell("http.url", urlOf(call, facts.maxPathLength));
  tell("http.method", entry.method);
  tell("downstream_cluster", requestHeader(call, "x-envoy-downstream-service-cluster") ?? "-");
  tell("user_agent", requestHeader(call, "user-agent") ?? "-");
  tell("http.protocol", entry.protocol);
  tell("peer.address", addressParts(entry.downstream_remote_address)?.address);
  tell("guid:x-client-trace-id", requestHeader(call, "x-client-trace-id"));
  attributes.set("request_size", String(entry.bytes_received));
  attributes.set("response_size", String(entry.bytes_sent));
  attributes.set("component", "proxy");
  const cluster = upstreamCluster(call);
  tell("upstream_cluster", cluster);
  tell("upstream_cluster.name", cluster);
  tell("upstream_address", entry.upstream_host);
  attributes.set("http.status_code", String(entry.response_code ?? 0));
  attributes.set("response_flags", entry.response_flags);
  if ((entry.response_code ?? 500) >= 500) attributes.set("error", "true");
  if (isGrpc(call)) tellGrpc(call, { attributes, tell });
  return attributes;
}

/** OpenTelemetry's rule: what the callee got wrong is an error of both, what the caller did of the caller alone. */
export function isServerError(
  { entry: { response_code } }: LoggedCall,
  kind: "server" | "client",
): boolean {
  return (response_code ?? 500) >= (kind === "server" ? 500 : 400);
}

function urlOf(call: LoggedCall, maxPathLength: number): string {
  const scheme = requestHeader(call, ":scheme") ?? "http";
  const path = call.path ?? call.entry.path ?? "";
  return `${scheme}://${call.entry.authority ?? ""}${path.slice(0, maxPathLength)}`;
}

function isGrpc(call: LoggedCall): boolean {
  return requestHeader(call, "content-type")?.startsWith("application/grpc") === true;
}

/** Unknown, DeadlineExceeded, Unimplemented, Internal, Unavailable, DataLoss: of the callee's own making. */
const GRPC_ERRORS: ReadonlySet<string> = new Set(["2", "4", "12", "13", "14", "15"]);

function tellGrpc(
  call: LoggedCall,
  {
    attributes,
    tell,
  }: {
    readonly attributes: Map<string, string>;
    readonly tell: (name: string, value: string | null | undefined) => void;
  },
): void {
  tell("grpc.path", call.entry.path);
  tell("grpc.authority", call.entry.authority);
  tell("grpc.content_type", requestHeader(call, "content-type"));
  tell("grpc.timeout", requestHeader(call, "grpc-timeout"));
  const status = responseHeader(call, "grpc-status");
  tell("grpc.status_code", status);
  tell("grpc.message", responseHeader(call, "grpc-message"));
  if (status !== undefined && GRPC_ERRORS.has(status)) attributes.set("error", "true");
}
