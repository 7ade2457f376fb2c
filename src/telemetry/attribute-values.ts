/** What Envoy's attributes are for one call (OBS-12). Undefined: absent, also where only Envoy could know it. */
import type { LogAttribute } from "../api/log-attributes.ts";
import type { AccessLogEntry } from "./access-log.ts";
import { CelLookup, type CelValue, Instant, Span } from "./cel-value.ts";
import {
  type LoggedCall,
  requestHeader,
  responseHeader,
  routeName,
  upstreamCluster,
} from "./logged-call.ts";
import { addressParts } from "./operator-values.ts";

type AttributeValue = (call: LoggedCall) => CelValue | undefined;

const unknown: AttributeValue = () => undefined;

export const ATTRIBUTE_VALUES: Readonly<Record<LogAttribute, AttributeValue>> = {
  "request.path": path,
  "request.url_path": (call) => path(call)?.split("?", 1)[0],
  "request.query": (call) => path(call)?.split("?").slice(1).join("?"),
  "request.host": ({ entry, requestHeaders }) =>
    requestHeaders?.get("host") ?? entry.authority ?? undefined,
  "request.scheme": (call) => requestHeader(call, ":scheme"),
  "request.method": text(({ method }) => method),
  "request.headers": (call) => new CelLookup((name) => requestHeader(call, name.toLowerCase())),
  "request.referer": (call) => requestHeader(call, "referer"),
  "request.useragent": (call) => requestHeader(call, "user-agent"),
  "request.time": ({ startedAt }) => new Instant(startedAt.getTime()),
  "request.id": (call) => requestHeader(call, "x-request-id"),
  "request.protocol": text(({ protocol }) => (protocol === "TCP" ? null : protocol)),
  "request.duration": ({ entry }) => new Span(entry.duration),
  "request.size": requestSize,
  "request.total_size": unknown,
  "response.code": number(({ response_code }) => response_code),
  "response.code_details": text(({ response_code_details }) => response_code_details),
  "response.flags": ({ entry }) => flagBits(entry.response_flags),
  "response.grpc_status": (call) => grpcStatus(responseHeader(call, "grpc-status")),
  "response.headers": (call) => new CelLookup((name) => responseHeader(call, name.toLowerCase())),
  "response.trailers": () => new CelLookup(() => undefined),
  "response.size": number(({ bytes_sent }) => bytes_sent),
  "response.total_size": unknown,
  "response.backend_latency": ({ upstreamServiceMs }) =>
    upstreamServiceMs === undefined ? undefined : new Span(upstreamServiceMs),
  "source.address": text((entry) => entry.downstream_remote_address),
  "source.port": port((entry) => entry.downstream_remote_address),
  "destination.address": text((entry) => entry.downstream_local_address),
  "destination.port": port((entry) => entry.downstream_local_address),
  "connection.id": unknown,
  "connection.mtls": ({ entry }) => isCallee(entry) && entry.source_principal !== null,
  "connection.requested_server_name": text((entry) => entry.requested_server_name),
  "connection.termination_details": text((entry) => entry.connection_termination_details),
  "connection.tls_version": unknown,
  "connection.subject_local_certificate": unknown,
  "connection.subject_peer_certificate": unknown,
  "connection.dns_san_local_certificate": unknown,
  "connection.dns_san_peer_certificate": unknown,
  "connection.uri_san_local_certificate": text((entry) =>
    isCallee(entry) ? entry.destination_principal : null,
  ),
  "connection.uri_san_peer_certificate": text((entry) =>
    isCallee(entry) ? entry.source_principal : null,
  ),
  "connection.sha256_peer_certificate_digest": ({ certificateHash }) => certificateHash,
  "connection.transport_failure_reason": ({ entry }) => handshakeProblem(entry),
  "upstream.address": text(({ upstream_host }) => upstream_host),
  "upstream.port": port(({ upstream_host }) => upstream_host),
  "upstream.local_address": text((entry) => entry.upstream_local_address),
  "upstream.locality": unknown,
  "upstream.request_attempt_count": unknown,
  "upstream.cx_pool_id": unknown,
  "upstream.tls_version": unknown,
  "upstream.subject_local_certificate": unknown,
  "upstream.subject_peer_certificate": unknown,
  "upstream.dns_san_local_certificate": unknown,
  "upstream.dns_san_peer_certificate": unknown,
  "upstream.uri_san_local_certificate": text((entry) =>
    isCallee(entry) ? null : entry.source_principal,
  ),
  "upstream.uri_san_peer_certificate": text((entry) =>
    isCallee(entry) ? null : entry.destination_principal,
  ),
  "upstream.sha256_peer_certificate_digest": unknown,
  "upstream.transport_failure_reason": text((entry) => entry.upstream_transport_failure_reason),
  "xds.cluster_name": upstreamCluster,
  "xds.cluster_metadata": unknown,
  "xds.route_name": routeName,
  "xds.route_metadata": unknown,
  "xds.virtual_host_name": unknown,
  "xds.virtual_host_metadata": unknown,
  "xds.upstream_host_metadata": unknown,
  "xds.filter_chain_name": unknown,
  "xds.listener_metadata": unknown,
  // Envoy's TrafficDirection
  "xds.listener_direction": ({ entry }) => (isCallee(entry) ? 1n : 2n),
  "xds.node": unknown,
};

/** Nobody escapes a filter by what he writes far behind. */
function path({ path, entry }: LoggedCall): string | undefined {
  return path ?? entry.path ?? undefined;
}

function text(read: (entry: AccessLogEntry) => string | null): AttributeValue {
  return ({ entry }) => read(entry) ?? undefined;
}

function number(read: (entry: AccessLogEntry) => number | null): AttributeValue {
  return ({ entry }) => {
    const value = read(entry);
    return value === null ? undefined : BigInt(value);
  };
}

function port(read: (entry: AccessLogEntry) => string | null): AttributeValue {
  return number((entry) => addressParts(read(entry))?.port ?? null);
}

/** As announced, else as received. */
function requestSize(call: LoggedCall): CelValue {
  const announced = call.requestHeaders?.get("content-length") ?? "";
  return /^[0-9]{1,15}$/.test(announced) ? BigInt(announced) : BigInt(call.entry.bytes_received);
}

function grpcStatus(status: string | undefined): CelValue | undefined {
  return status !== undefined && /^[0-9]{1,2}$/.test(status) ? BigInt(status) : undefined;
}

function handshakeProblem({ decision }: AccessLogEntry): string | undefined {
  const reason = decision?.reason;
  return reason?.because === "peer-not-verified" ? reason.problem : undefined;
}

/** Only there is the connection that Envoy calls "downstream" the one between sidecars. */
function isCallee({ reporter }: AccessLogEntry): boolean {
  return reporter === "destination";
}

/** Envoy's response flags by the place of their bit, from 0. */
const FLAG_BITS: ReadonlyMap<string, number> = new Map(
  "LH UH UT LR UR UF UC UO NR DI FI RL UAEX RLSE DC URX SI IH DPE"
    .split(" ")
    .map((flag, bit) => [flag, bit]),
);

function flagBits(flags: string): bigint {
  if (flags === "-") return 0n;
  const bits = flags.split(",").map((flag) => FLAG_BITS.get(flag));
  return bits.reduce(
    (sum: bigint, bit) => (bit === undefined ? sum : sum | (1n << BigInt(bit))),
    0n,
  );
}
