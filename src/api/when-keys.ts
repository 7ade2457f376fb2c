/**
 * The keys of `when` that are known by their name: what their values are, and how they are called in words (AP-80..AP-94).
 * Which attribute of traffic each one asks about is `conditionAttribute`'s, and the compiler asks for it.
 */

/** "text": with wildcards; "domain": such as a trust domain; "account": `namespace/name`; "address": or a range. */
export type WhenValues = "text" | "domain" | "account" | "address" | "port";

export type WhenKey =
  | "source.ip"
  | "remote.ip"
  | "source.namespace"
  | "source.principal"
  | "source.serviceAccount"
  | "source.trustDomain"
  | "request.auth.principal"
  | "request.auth.audiences"
  | "request.auth.presenter"
  | "destination.ip"
  | "destination.port"
  | "connection.sni";

export interface WhenKeyFacts {
  readonly values: WhenValues;
  /** As in `the ... is a`. */
  readonly noun: string;
}

/** Adding a key here is adding it everywhere: the compiler names what else it needs. */
export const WHEN_KEYS: Readonly<Record<WhenKey, WhenKeyFacts>> = {
  "source.ip": { values: "address", noun: "caller's address" },
  "remote.ip": { values: "address", noun: "caller's address by X-Forwarded-For" },
  "source.namespace": { values: "text", noun: "caller's namespace" },
  "source.principal": { values: "text", noun: "principal" },
  "source.serviceAccount": { values: "account", noun: "service account" },
  "source.trustDomain": { values: "domain", noun: "trust domain" },
  "request.auth.principal": { values: "text", noun: "end user" },
  "request.auth.audiences": { values: "text", noun: "token audience" },
  "request.auth.presenter": { values: "text", noun: "token presenter" },
  "destination.ip": { values: "address", noun: "destination's address" },
  "destination.port": { values: "port", noun: "port" },
  "connection.sni": { values: "text", noun: "TLS server name" },
};

export function isWhenKey(key: string): key is WhenKey {
  return Object.hasOwn(WHEN_KEYS, key);
}
