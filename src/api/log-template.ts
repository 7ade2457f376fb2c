/** Envoy's format strings for access logs: text with `%OPERATOR(ARGUMENT):LENGTH%` in it. */

export type LogPart = { readonly text: string } | LogOperator;

export interface LogOperator {
  /** `REQ` */
  readonly name: string;
  /** What stands in its parentheses; "" without. */
  readonly argument: string;
  /** Most characters of the value; absent: all. */
  readonly maxLength?: number;
  /** As in the template: `%REQ(:METHOD)%` */
  readonly written: string;
  /** Whether sidecars can tell it; if not, its value is "-". */
  readonly known: boolean;
}

/** Addresses, each of which has variants without the port, and the port alone. */
const ADDRESSES = [
  "UPSTREAM_LOCAL",
  "UPSTREAM_REMOTE",
  "DOWNSTREAM_LOCAL",
  "DOWNSTREAM_REMOTE",
  "DOWNSTREAM_DIRECT_REMOTE",
] as const;

/** Operators that sidecars can tell, beside those of addresses. */
export const LOG_OPERATORS = [
  "START_TIME",
  "REQ",
  "REQ_WITHOUT_QUERY",
  "RESP",
  "PROTOCOL",
  "RESPONSE_CODE",
  "RESPONSE_CODE_DETAILS",
  "RESPONSE_FLAGS",
  "CONNECTION_TERMINATION_DETAILS",
  "UPSTREAM_TRANSPORT_FAILURE_REASON",
  "BYTES_RECEIVED",
  "BYTES_SENT",
  "DURATION",
  "UPSTREAM_HOST",
  "UPSTREAM_CLUSTER",
  "UPSTREAM_CLUSTER_RAW",
  "REQUESTED_SERVER_NAME",
  "ROUTE_NAME",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_LOCAL_URI_SAN",
  "DOWNSTREAM_PEER_SERIAL",
  "UPSTREAM_PEER_URI_SAN",
  "UPSTREAM_LOCAL_URI_SAN",
] as const;

type Address = (typeof ADDRESSES)[number];
export type LogOperatorName =
  | (typeof LOG_OPERATORS)[number]
  | `${Address}_ADDRESS`
  | `${Address}_ADDRESS_WITHOUT_PORT`
  | `${Address}_PORT`;

const KNOWN: ReadonlySet<string> = new Set([
  ...LOG_OPERATORS,
  ...ADDRESSES.flatMap((one) => [`${one}_ADDRESS`, `${one}_ADDRESS_WITHOUT_PORT`, `${one}_PORT`]),
]);

/** An operator: its argument may hold anything but `)`, and its length follows a colon. */
const OPERATOR = /%(?:%|([A-Z][A-Z0-9_]*)(?:\(([^)]{0,1000})\))?(?::([0-9]{1,6}))?%)/g;

/** Whatever is no operator is text; `%%` is `%`. */
export function parseLogTemplate(template: string): readonly LogPart[] {
  const parts: LogPart[] = [];
  let text = "";
  let end = 0;
  for (const match of template.matchAll(OPERATOR)) {
    const [written, name, argument = "", length] = match;
    text += template.slice(end, match.index);
    end = match.index + written.length;
    if (name === undefined) {
      text += "%";
      continue;
    }
    if (text !== "") parts.push({ text });
    text = "";
    const maxLength = length === undefined ? {} : { maxLength: Number(length) };
    parts.push({ name, argument, ...maxLength, written, known: KNOWN.has(name) });
  }
  text += template.slice(end);
  if (text !== "") parts.push({ text });
  return parts;
}
