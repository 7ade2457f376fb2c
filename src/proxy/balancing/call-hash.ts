/**
 * What consistent hash goes by: the part of a call that a policy names, hashed as Envoy hashes it.
 * Source: `source/common/http/hash_policy.cc` of envoyproxy/envoy
 */
import { FieldLookup } from "../../http/field-lookup.ts";
import { type FieldRanges, fieldValue } from "../../http/field-ranges.ts";
import type { LoadBalancing } from "../../policy/effective-traffic-policy.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import { formatAddress } from "../format-address.ts";
import type { Hash64 } from "./word64.ts";
import { XxHash64 } from "./xx-hash-64.ts";

/** A call of the application, as far as its hash may depend on it. */
export interface HashInput {
  readonly source: SocketAddress;
  /** Where it was taken. */
  readonly local: SocketAddress;
  /** Of a request; absent of a connection that carries something else. */
  readonly fields?: FieldRanges;
  /** Of a request, with its query. */
  readonly path?: string;
}

export interface CallHash {
  /** Undefined: the call goes anywhere. Changed by the next call's. */
  readonly hash: Hash64 | undefined;
  /** `set-cookie` of the answer, by which the next call will go the same way. */
  readonly setCookie?: string;
}

type HashKey = Extract<LoadBalancing, { algorithm: "RING_HASH" }>["key"];
type HashCookie = Extract<HashKey, { from: "cookie" }>;

const NO_HASH: CallHash = { hash: undefined };
const SENDABLE = /^[ -~]*$/;

/** @returns for one call; it is given the memory of the call only while it runs */
export function callHasher(key: HashKey): (input: HashInput) => CallHash {
  const hasher = new XxHash64();
  switch (key.from) {
    case "nothing":
      return () => NO_HASH;
    case "source-ip":
      return ({ source }) => ({ hash: hasher.ofText(source.address) });
    case "query-parameter":
      return ({ path = "" }) => ofText(hasher, queryParameter(path, key.name));
    case "header": {
      const lookup = new FieldLookup(key.name);
      return ({ fields }) =>
        fields === undefined ? NO_HASH : { hash: hasher.ofTexts(valuesOf(fields, lookup)) };
    }
    case "cookie":
      return cookieHasher(key, hasher);
  }
}

function cookieHasher(cookie: HashCookie, hasher: XxHash64): (input: HashInput) => CallHash {
  const lookup = new FieldLookup("cookie");
  const isGiven = cookie.ttlSeconds !== undefined && SENDABLE.test(setCookie(cookie, ""));
  return ({ fields, source, local }) => {
    if (fields === undefined) return NO_HASH;
    const value = cookieValue(valuesOf(fields, lookup), cookie.name);
    if (value !== "" || !isGiven) return ofText(hasher, value === "" ? undefined : value);
    // The same for all requests of a connection: several at once shall not be told different ones.
    const { high, low } = hasher.ofText(`${formatAddress(source)}${formatAddress(local)}`);
    const given = hexadecimal(high) + hexadecimal(low);
    return { hash: hasher.ofText(given), setCookie: setCookie(cookie, given) };
  };
}

function ofText(hasher: XxHash64, text: string | undefined): CallHash {
  return text === undefined ? NO_HASH : { hash: hasher.ofText(text) };
}

function valuesOf(fields: FieldRanges, lookup: FieldLookup): string[] {
  const values: string[] = [];
  for (let at = lookup.find(fields); at >= 0; at = lookup.find(fields, at + 1)) {
    values.push(fieldValue(fields, at));
  }
  return values;
}

/** Of the first of that name, undecoded. */
function queryParameter(path: string, name: string): string | undefined {
  const begin = path.indexOf("?");
  if (begin < 0) return undefined;
  for (const pair of path.slice(begin + 1).split("&")) {
    const equals = pair.indexOf("=");
    if ((equals < 0 ? pair : pair.slice(0, equals)) !== name) continue;
    return equals < 0 ? "" : pair.slice(equals + 1);
  }
  return undefined;
}

/** "" where there is none, or an empty one. */
function cookieValue(fields: readonly string[], name: string): string {
  for (const pair of fields.flatMap((field) => field.split(";"))) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return /^".*"$/.test(value) && value.length > 1 ? value.slice(1, -1) : value;
  }
  return "";
}

function setCookie({ name, path, ttlSeconds = 0, attributes }: HashCookie, value: string): string {
  const parts = [
    `${name}="${value}"`,
    ...(ttlSeconds > 0 ? [`Max-Age=${ttlSeconds}`] : []),
    ...(path === "" ? [] : [`Path=${path}`]),
    ...attributes.map((each) => (each.value === "" ? each.name : `${each.name}=${each.value}`)),
    "HttpOnly",
  ];
  return parts.join("; ");
}

/** Without leading zeros only as a whole: eight digits each, as both halves are. */
function hexadecimal(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
