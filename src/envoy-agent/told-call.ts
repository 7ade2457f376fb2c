/**
 * Reads a line that Envoy wrote for its agent. What strangers wrote is in it: every field is looked at, and told cut where it is
 * long. Policies judge the whole of it, as Envoy does.
 */
import { parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { CALLS_FOLDER } from "./agent-places.ts";
import { isLimit, type ToldHandshake, toldHandshake } from "./told-handshake.ts";

export interface ToldCall {
  /** But for the decision. */
  readonly entry: AccessLogEntry;
  /** What policies ask about, of any length. */
  readonly whole: Pick<AccessLogEntry, "method" | "path" | "authority" | "requested_server_name">;
  /** By whom policies go: proven by whoever called; at a gateway, where `entry` tells who called on, its client. */
  readonly caller: SpiffeId | null;
  /** After `X-Forwarded-For`; "" where it is not known. */
  readonly remoteAddress: string;
  /** Of our end of the connection; undefined: it is not known. */
  readonly localPort: number | undefined;
  /** Envoy's name of the route that a request took; null: none, or it is not told. */
  readonly routeName: string | null;
  /** Which limit of connections closed it, in Envoy's words. */
  readonly limitedBy?: string;
  /** Of a connection that came no further; who its client is, then, nobody has proven. */
  readonly failedHandshake?: ToldHandshake;
}

const MAX_CHARACTERS = 1_024;
const PROTOCOLS: readonly AccessLogEntry["protocol"][] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2"];

/** @returns undefined for what is no such line, or tells of nothing that another does not tell */
export function toldCall(line: string): ToldCall | undefined {
  const told = objectIn(line);
  if (told === undefined) return undefined;
  const whole = (name: string): string | null => textOf(told[name]);
  const text = (name: string): string | null => shortened(whole(name));
  const number = (name: string): number => (typeof told[name] === "number" ? told[name] : 0);
  const start = text("start_time");
  const reporter = text("reporter");
  if (start === null || (reporter !== "source" && reporter !== "destination")) return undefined;
  const closed = text("local_close_reason");
  const handshake = toldHandshake({ text, number, reporter });
  if (handshake === "nothing to tell") return undefined;
  const method = text("method");
  const protocol = method === null ? undefined : PROTOCOLS.find((one) => one === told["protocol"]);
  const status = number("response_code");
  const local = calledAddress(text("downstream_local_address"));
  const source = handshake === undefined ? identityOf(told["source_principal"]) : null;
  const entry: AccessLogEntry = {
    start_time: start,
    reporter,
    protocol: protocol ?? (method === null ? "TCP" : "HTTP/1.1"),
    method,
    path: text("path"),
    authority: text("authority"),
    response_code: status === 0 ? null : status,
    response_flags: text("response_flags") ?? "-",
    response_code_details: text("response_code_details"),
    connection_termination_details: text("connection_termination_details"),
    upstream_transport_failure_reason: text("upstream_transport_failure_reason"),
    bytes_received: number("bytes_received"),
    bytes_sent: number("bytes_sent"),
    duration: number("duration"),
    x_forwarded_for: text("x_forwarded_for"),
    user_agent: text("user_agent"),
    request_id: text("request_id"),
    upstream_host: text("upstream_host"),
    upstream_cluster: text("upstream_cluster"),
    upstream_local_address: text("upstream_local_address"),
    downstream_local_address: local,
    downstream_remote_address: ofSocket(text("downstream_remote_address")),
    requested_server_name: text("requested_server_name"),
    source_principal: source,
    // Whoever proves nothing is told of no proof: it may be in plaintext.
    destination_principal:
      reporter === "destination" && source === null
        ? null
        : identityOf(told["destination_principal"]),
    source_certificate_serial: text("source_certificate_serial")?.toUpperCase() ?? null,
    decision: null,
  };
  const client = reporter === "source" ? identityOf(told["client_principal"]) : source;
  return {
    entry,
    whole: {
      method: whole("method"),
      path: whole("path"),
      authority: whole("authority"),
      requested_server_name: whole("requested_server_name"),
    },
    caller: client,
    remoteAddress: text("remote_address") ?? "",
    localPort: portOf(local),
    routeName: text("route_name"),
    ...(isLimit(closed) && { limitedBy: closed }),
    ...(handshake && { failedHandshake: handshake }),
  };
}

function objectIn(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Envoy writes "-" where it has nothing, in some fields, and null in others. */
function textOf(value: unknown): string | null {
  return typeof value !== "string" || value === "" || value === "-" ? null : value;
}

function shortened(text: string | null): string | null {
  if (text === null || text.length <= MAX_CHARACTERS) return text;
  return `${text.slice(0, MAX_CHARACTERS)}…`;
}

/** A certificate with several names, or none of ours, is no identity of the mesh. */
function identityOf(value: unknown): SpiffeId | null {
  if (typeof value !== "string" || !value.startsWith("spiffe://")) return null;
  try {
    return parseSpiffeId(value);
  } catch {
    return null;
  }
}

/** Of Envoy's sockets for calls that the agent leads to it: `calls/127.0.0.1_15432`. */
const CALLS = new RegExp(`^${CALLS_FOLDER}/(.+)_(\\d{1,5})$`);

/** What the application called. */
function calledAddress(address: string | null): string | null {
  const [, host, port] = CALLS.exec(address ?? "") ?? [];
  return host === undefined || port === undefined ? address : `${host}:${port}`;
}

/** The agent itself is no caller. */
function ofSocket(address: string | null): string | null {
  return address !== null && CALLS.test(address) ? null : address;
}

function portOf(address: string | null): number | undefined {
  const port = Number(/:(\d{1,5})$/.exec(address ?? "")?.[1] ?? Number.NaN);
  return Number.isNaN(port) ? undefined : port;
}
