/** What Envoy's command operators stand for in a line of an access log (OBS-1, OBS-5). */
import type { LogOperator, LogOperatorName } from "../api/log-template.ts";
import type { AccessLogEntry } from "./access-log.ts";
import { timeFormat } from "./format-time.ts";
import {
  type LoggedCall,
  requestHeader,
  responseHeader,
  routeName,
  upstreamCluster,
} from "./logged-call.ts";

/** Undefined or null: absent. A number stays one in JSON. */
export type OperatorValue = (call: LoggedCall) => string | number | null | undefined;

type Make = (argument: string) => OperatorValue;

/** @returns undefined for an operator that cannot be told */
export function operatorValue({
  name,
  argument,
  maxLength,
}: LogOperator): OperatorValue | undefined {
  const make = Object.hasOwn(OPERATORS, name) ? OPERATORS[name as LogOperatorName] : undefined;
  const value = make?.(argument);
  if (value === undefined || maxLength === undefined) return value;
  return (call) => {
    const told = value(call);
    return typeof told === "string" ? told.slice(0, maxLength) : told;
  };
}

const OPERATORS: Readonly<Record<LogOperatorName, Make>> = {
  START_TIME: (format) => timeFormat(format),
  REQ: headerOperator(requestHeader),
  REQ_WITHOUT_QUERY: headerOperator((call, name) => withoutQuery(requestHeader(call, name), name)),
  RESP: headerOperator(responseHeader),
  PROTOCOL: field(({ protocol }) => (protocol === "TCP" ? null : protocol)),
  RESPONSE_CODE: field(({ response_code }) => response_code ?? 0),
  RESPONSE_CODE_DETAILS: field(({ response_code_details }) => joined(response_code_details)),
  RESPONSE_FLAGS: field(({ response_flags }) => response_flags),
  CONNECTION_TERMINATION_DETAILS: field((entry) => joined(entry.connection_termination_details)),
  UPSTREAM_TRANSPORT_FAILURE_REASON: field((entry) => entry.upstream_transport_failure_reason),
  BYTES_RECEIVED: field(({ bytes_received }) => bytes_received),
  BYTES_SENT: field(({ bytes_sent }) => bytes_sent),
  DURATION: field(({ duration }) => duration),
  UPSTREAM_HOST: field(({ upstream_host }) => upstream_host),
  UPSTREAM_CLUSTER: () => upstreamCluster,
  UPSTREAM_CLUSTER_RAW: () => upstreamCluster,
  REQUESTED_SERVER_NAME: field(({ requested_server_name }) => joined(requested_server_name)),
  ROUTE_NAME: () => routeName,
  DOWNSTREAM_PEER_URI_SAN: field(({ reporter, source_principal }) =>
    reporter === "destination" ? source_principal : null,
  ),
  DOWNSTREAM_LOCAL_URI_SAN: field(({ reporter, destination_principal }) =>
    reporter === "destination" ? destination_principal : null,
  ),
  DOWNSTREAM_PEER_SERIAL: field(({ reporter, source_certificate_serial }) =>
    reporter === "destination" ? (source_certificate_serial?.toLowerCase() ?? null) : null,
  ),
  UPSTREAM_PEER_URI_SAN: field(({ reporter, destination_principal }) =>
    reporter === "source" ? destination_principal : null,
  ),
  UPSTREAM_LOCAL_URI_SAN: field(({ reporter, source_principal }) =>
    reporter === "source" ? source_principal : null,
  ),
  ...addressOperators("UPSTREAM_LOCAL", ({ upstream_local_address }) => upstream_local_address),
  ...addressOperators("UPSTREAM_REMOTE", ({ upstream_host }) => upstream_host),
  ...addressOperators("DOWNSTREAM_LOCAL", (entry) => entry.downstream_local_address),
  ...addressOperators("DOWNSTREAM_REMOTE", (entry) => entry.downstream_remote_address),
  ...addressOperators("DOWNSTREAM_DIRECT_REMOTE", (entry) => entry.downstream_remote_address),
};

function field(read: (entry: AccessLogEntry) => string | number | null): Make {
  return () => (call) => read(call.entry);
}

/** `X?Y`: the second where the first is absent. */
function headerOperator(read: (call: LoggedCall, name: string) => string | undefined): Make {
  return (argument) => {
    const [first = "", second] = argument.toLowerCase().split("?", 2);
    if (second === undefined) return (call) => clipped(read(call, first));
    return (call) => clipped(read(call, first) ?? read(call, second));
  };
}

/** As in our own log: a line costs more than a header. */
const MAX_CHARACTERS = 1_024;

function clipped(value: string | undefined): string | undefined {
  const isLong = value !== undefined && value.length > MAX_CHARACTERS + 1;
  return isLong ? `${value.slice(0, MAX_CHARACTERS)}…` : value;
}

function withoutQuery(value: string | undefined, name: string): string | undefined {
  return name === ":path" ? value?.split("?", 1)[0] : value;
}

/** Details are one word in Envoy's text; what is in them may be a stranger's. */
function joined(text: string | null): string | null {
  return text === null ? null : text.replaceAll(/\s/g, "_");
}

type AddressSuffix = "ADDRESS" | "ADDRESS_WITHOUT_PORT" | "PORT";

function addressOperators<const Name extends string>(
  name: Name,
  read: (entry: AccessLogEntry) => string | null,
): { readonly [N in `${Name}_${AddressSuffix}`]: Make } {
  const rows: readonly (readonly [AddressSuffix, Make])[] = [
    ["ADDRESS", field(read)],
    ["ADDRESS_WITHOUT_PORT", field((entry) => addressParts(read(entry))?.address ?? null)],
    ["PORT", field((entry) => addressParts(read(entry))?.port ?? null)],
  ];
  return Object.fromEntries(rows.map(([suffix, make]) => [`${name}_${suffix}`, make])) as {
    readonly [N in `${Name}_${AddressSuffix}`]: Make;
  };
}

/** Of `127.0.0.1:8080` or `[::1]:8080`. */
export function addressParts(
  text: string | null,
): { readonly address: string; readonly port: number } | undefined {
  if (text === null) return undefined;
  const colon = text.lastIndexOf(":");
  return {
    address: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}
