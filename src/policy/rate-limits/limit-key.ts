/** What a rate limit counts apart, read of traffic: one text for one bucket, and the parts of it for people. */
import { createHash } from "node:crypto";
import type { AppliedRateLimit } from "../applied-rate-limits.ts";
import { readPathname } from "../path-values.ts";
import { hostNameOf } from "../routes/route-table.ts";
import { conditionAttribute } from "../rule-field.ts";
import { claimNames } from "../token-attribute.ts";
import type { Connection } from "../traffic.ts";
import type { Traffic } from "../traffic-attribute.ts";

/** One part of the key of some traffic, as people may see it. */
export interface LimitKeyPart {
  /** As in the resource: `source.principal`. */
  readonly name: string;
  /** Of headers and claims a hash, `sha256:0123456789ab`; absent: the traffic has none. */
  readonly value?: string;
}

type Reader = (traffic: Traffic) => string | undefined;

/** Longer ones are hashed, so that no stranger decides how much is held. */
const LONGEST_KEY = 256;
/** Before a hash, so that no key is taken for one. */
const HASHED = "\n";
const HASH_TOLD = 12;
const CLAIM = /^request\.auth\.claims(\[.+\])$/s;

/**
 * Traffic that lacks a part of the key shares a bucket with all other that lacks it: an empty value is none. Keys are never
 * put together so that one stands for another.
 */
export class LimitKey {
  readonly #names: readonly string[];
  readonly #readers: readonly Reader[];

  constructor(names: AppliedRateLimit["key"]) {
    this.#names = names;
    this.#readers = names.map(readerOf);
  }

  /** Of the bucket; "" for what has no part of the key, and where there is no key. */
  of(traffic: Traffic): string {
    const readers = this.#readers;
    if (readers.length === 0) return "";
    if (readers.length === 1) return bounded(readers[0]?.(traffic) ?? "");
    let key = "";
    let isEmpty = true;
    for (const read of readers) {
      const value = read(traffic) ?? "";
      if (value !== "") isEmpty = false;
      key += `${value.length}:${value}`;
    }
    return isEmpty ? "" : bounded(key);
  }

  parts(traffic: Traffic): readonly LimitKeyPart[] {
    return this.#names.map((name, index) => {
      const value = this.#readers[index]?.(traffic) ?? "";
      return value === "" ? { name } : { name, value: told(name, value) };
    });
  }
}

function bounded(key: string): string {
  const isShort = key.length <= LONGEST_KEY && !key.startsWith(HASHED);
  return isShort ? key : HASHED + createHash("sha256").update(key).digest("base64");
}

const TOLD_PATH = 256;

function told(name: string, value: string): string {
  if (name === "source.principal") return value.slice("spiffe://".length);
  if (name.startsWith("request.headers[") || name.startsWith("request.auth.")) {
    return `sha256:${createHash("sha256").update(value).digest("hex").slice(0, HASH_TOLD)}`;
  }
  return value.length <= TOLD_PATH ? value : `${value.slice(0, TOLD_PATH)}…`;
}

function readerOf(name: string): Reader {
  switch (name.toLowerCase() === HOST_HEADER ? HOST_HEADER : name) {
    case "source.principal":
      return ({ connection }) => connection.principal;
    case "request.path":
      return readPathname;
    case "request.method":
      return ({ method }) => method;
    case "request.host":
    case HOST_HEADER:
      return ({ authority }) => authority && hostOf(authority);
    default:
      return claimReader(name) ?? attributeReader(name);
  }
}

const HOST_HEADER = "request.headers[host]";
const CLOSING_DOTS = /(?<!\.)\.+$/;

/**
 * In lower case, without port and closing dots: all of them lead to the same application, and a caller who may choose among them
 * would have as many buckets as there are ways to write one name. Rules of policies compare it with its port (AP-52).
 */
function hostOf(authority: string): string {
  return hostNameOf(authority).replace(CLOSING_DOTS, "");
}

function attributeReader(name: string): Reader {
  const attribute = conditionAttribute(name);
  if (attribute === undefined) throw new RangeError(`nothing is called ${name}`);
  const { origin, read } = attribute;
  return origin === "peer" ? oncePerConnection(read) : read;
}

function oncePerConnection(read: Reader): Reader {
  const known = new WeakMap<Connection, string>();
  return (traffic) => {
    const { connection } = traffic;
    let value = known.get(connection);
    if (value === undefined) {
      value = read(traffic) ?? "";
      known.set(connection, value);
    }
    return value;
  };
}

/** Any value counts: a number is an account as well as a text is. */
function claimReader(name: string): Reader | undefined {
  const names = claimNames(CLAIM.exec(name)?.[1] ?? "");
  if (names === undefined) return undefined;
  return ({ token }) => {
    let value: unknown = token;
    for (const one of names) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, one))
        return undefined;
      value = Reflect.get(value, one);
    }
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
  };
}
