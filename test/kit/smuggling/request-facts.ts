/** What the judge asks of two requests, and of one: read from their bytes, by nothing of the product. */
import type { Lane } from "./attack-exchange.ts";
import { FORBIDDEN_HEADER, FORBIDDEN_PATH, FORGED_CALLER } from "./smuggling-case.ts";
import { type Field, valuesOf } from "./strict-fields.ts";
import { authorityOf, type StrictRequest } from "./strict-message.ts";

/** What a proxy may add or write anew. */
const OWN_FIELDS =
  /^(?:host|connection|keep-alive|content-length|transfer-encoding|via|x-request-id|x-forwarded-.*|x-envoy-.*|traceparent|tracestate|b3|x-b3-.*)$/;
const CALLER_FIELD = "x-forwarded-client-cert";
/** RFC 9110 section 6.5.1: framing, routing, who asks. */
const NEVER_TRAILERS = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "connection",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "authorization",
  "proxy-authorization",
  "cookie",
  CALLER_FIELD,
  "x-forwarded-for",
]);

export function sameRequest(arrived: StrictRequest, sent: StrictRequest): boolean {
  const isSure = sent.problem === undefined;
  return sameHead(arrived, sent) && (!isSure || arrived.body === sent.body);
}

/** Whether one may have been cut short from the other. */
export function isPartOf(arrived: StrictRequest, sent: StrictRequest): boolean {
  return sameHead(arrived, sent) && sent.body.startsWith(arrived.body);
}

/** However it is written: a path, or a part of one, that the policy forbids, or the header. */
export function isForbidden({ target, fields }: StrictRequest): boolean {
  const [path = ""] = canonicalTarget(target).split("?");
  const forbidden = path === FORBIDDEN_PATH || path.startsWith(`${FORBIDDEN_PATH}/`);
  return forbidden || valuesOf(fields, FORBIDDEN_HEADER).length > 0;
}

/** @returns what is wrong with the fields that arrived */
export function fieldFaults(
  { fields, trailers }: StrictRequest,
  {
    sent,
    lane,
  }: { readonly sent: StrictRequest | undefined; readonly lane: Pick<Lane, "callerFields"> },
): readonly string[] {
  const isSure = sent !== undefined && sent.problem === undefined;
  const strays = !isSure ? [] : fields.filter((field) => !isKnown(field, sent.fields));
  const forged = valuesOf(fields, CALLER_FIELD).some((value) => value.includes(FORGED_CALLER));
  return [
    ...strays.map(([name]) => `a field that nobody sent: ${JSON.stringify(name)}`),
    ...(forged && lane.callerFields === "removed" ? ["a caller that was made up"] : []),
    ...trailers
      .filter(([name]) => NEVER_TRAILERS.has(name.toLowerCase()))
      .map(([name]) => `a trailer that may be none: ${name}`),
  ];
}

/** Whether all its fields were sent with that one. */
export function hasOnlyFieldsOf({ fields }: StrictRequest, sent: StrictRequest): boolean {
  return fields.every((field) => isKnown(field, sent.fields));
}

/** What has no authority may be given one. */
function sameHead(arrived: StrictRequest, sent: StrictRequest): boolean {
  const authority = sent.problem === undefined ? authorityOf(sent).toLowerCase() : "";
  return (
    arrived.method === sent.method &&
    canonicalTarget(arrived.target) === canonicalTarget(sent.target) &&
    (authority === "" || authorityOf(arrived).toLowerCase() === authority)
  );
}

function isKnown([name, value]: Field, sent: readonly Field[]): boolean {
  const key = name.toLowerCase();
  if (OWN_FIELDS.test(key)) return true;
  const values = valuesOf(sent, key);
  // RFC 9110 section 7.8: names of protocols are the same in any letter case.
  if (key === "upgrade") return values.join(",").toLowerCase().includes(value.toLowerCase());
  return values.includes(value) || values.join(",") === value || values.join(", ") === value;
}

/** A path in one form for all ways to write it, with its query; more is made alike than any application does. */
function canonicalTarget(target: string): string {
  const [withoutFragment = ""] = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").split("#");
  const mark = withoutFragment.indexOf("?");
  const query = mark < 0 ? "" : withoutFragment.slice(mark);
  const path = mark < 0 ? withoutFragment : withoutFragment.slice(0, mark);
  const decoded = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const kept: string[] = [];
  for (const segment of decoded.replaceAll("\\", "/").split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return (path === "*" ? "*" : `/${kept.join("/")}`) + query;
}
