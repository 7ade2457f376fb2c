/** ztunnel's rules about connections as rules of AuthorizationPolicy that mean the same (AP-143, AP-147). */
import { type EnvoyStringMatcher, patternOf } from "../envoy-rbac/string-pattern.ts";
import type { WrittenRule } from "../policy-evaluation.ts";

/** One match must hold all of its fields, a clause one of its matches, a rule all of its clauses. */
export type L4Rule = readonly (readonly L4Match[])[];

export interface L4Match {
  readonly namespaces?: readonly L4String[];
  readonly notNamespaces?: readonly L4String[];
  readonly serviceAccounts?: readonly L4Account[];
  readonly notServiceAccounts?: readonly L4Account[];
  readonly principals?: readonly L4String[];
  readonly notPrincipals?: readonly L4String[];
  readonly sourceIps?: readonly L4Address[];
  readonly notSourceIps?: readonly L4Address[];
  readonly destinationIps?: readonly L4Address[];
  readonly notDestinationIps?: readonly L4Address[];
  readonly destinationPorts?: readonly number[];
  readonly notDestinationPorts?: readonly number[];
}

export type L4String = EnvoyStringMatcher & { readonly presence?: unknown };

interface L4Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** `10.0.0.0/8`, or the bytes of an address in base64. */
type L4Address = string | { readonly address: string; readonly length: number };

/** By the field of a match, the key of `when` that asks for it. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["namespaces", "source.namespace"],
  ["serviceAccounts", "source.serviceAccount"],
  ["principals", "source.principal"],
  ["sourceIps", "source.ip"],
  ["destinationIps", "destination.ip"],
  ["destinationPorts", "destination.port"],
]);

/** A clause without matches holds; a match without fields never does, and is no alternative. */
export function writtenRules(rules: readonly L4Rule[]): readonly WrittenRule[] {
  return rules.flatMap((clauses) =>
    clauses
      .filter((matches) => matches.length > 0)
      .map((matches) => matches.map(conditionsOf).filter(({ length }) => length > 0))
      .reduce<readonly (readonly unknown[])[]>(
        (sofar, alternatives) =>
          sofar.flatMap((left) => alternatives.map((right) => [...left, ...right])),
        [[]],
      )
      .map((when) => (when.length === 0 ? {} : { when })),
  );
}

/** @throws Error for a field that is not known */
function conditionsOf(match: L4Match): readonly unknown[] {
  return Object.entries(match).flatMap(([field, values]) => {
    if (values.length === 0) return [];
    const [, not, rest = ""] = /^(not)?(.*)$/.exec(field) ?? [];
    const key = KEYS.get(rest.charAt(0).toLowerCase() + rest.slice(1));
    if (key === undefined) throw new Error(`a match with a field that is not known: ${field}`);
    const written = values.map(writtenValue);
    return not === undefined ? { key, values: written } : { key, notValues: written };
  });
}

function writtenValue(value: number | string | L4String | L4Account | L4Address): string {
  if (typeof value !== "object") return String(value);
  if ("serviceAccount" in value) return `${value.namespace}/${value.serviceAccount}`;
  if ("address" in value) return `${addressOf(value.address)}/${value.length}`;
  return stringValue(value);
}

/** The pattern that means a matcher of ztunnel. */
export function stringValue(matcher: L4String): string {
  return matcher.presence === undefined ? patternOf(matcher) : "*";
}

function addressOf(base64: string): string {
  const bytes = [...Buffer.from(base64, "base64")];
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.flatMap((byte, index) =>
    index % 2 === 0 ? [((byte << 8) | (bytes[index + 1] ?? 0)).toString(16)] : [],
  );
  return groups.join(":");
}
