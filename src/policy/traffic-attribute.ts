/** The attributes of traffic that rules ask about: how each is read, and how a policy's values are matched against it. */
import { type IpAddress, parseIpAddress } from "../api/cidr.ts";
import { compileStringMatches, foldAscii, type StringMatchOptions } from "../api/string-match.ts";
import { addressBitsReader, compilePorts, compileRanges, rangePatterns } from "./address-values.ts";
import { compilePaths, pathPatterns, readPathname } from "./path-values.ts";
import {
  compileNamespace,
  compilePrincipal,
  compileServiceAccount,
  compileTrustDomain,
  namespacePatterns,
  namespacesIn,
  type PrincipalPattern,
  principalPatterns,
  schemelessOf,
  serviceAccountPatterns,
  serviceAccountsIn,
  trustDomainOf,
  trustDomainPatterns,
} from "./principal-pattern.ts";
import { stringPatterns, type TextLookup } from "./text-lookup.ts";
import type { HttpRequest } from "./traffic.ts";
import type { Trust } from "./workload-view.ts";

/** What conditions read: a request, or a connection alone, which lacks all that is HTTP. */
export type Traffic = Pick<HttpRequest, "connection" | "remoteAddress"> & Partial<HttpRequest>;

/** What the values of a policy depend on besides themselves. */
export interface PolicyContext {
  readonly trust: Trust;
  /** Where the policy lives: `serviceAccounts` may name accounts of it alone (AP-47). */
  readonly namespace: string;
  /** Whether a match lets traffic in, so that a doubtful one must not be (AP-72), or keeps it out. */
  readonly matching: "lets-in" | "keeps-out";
}

export interface TrafficAttribute {
  /** "http" attributes do not exist on a port carried as TCP (AP-60). */
  readonly layer: "http" | "connection";
  /** "peer": of the verified identity alone, so that one look a peer is enough; "token": of the verified token. */
  readonly origin: "peer" | "token" | "traffic";
  /** Which values may be told to people and logs: the policy's and the traffic's, the policy's alone, or none. */
  readonly shown: "shown" | "expected-only" | "secret";
  /**
   * Whether traffic carries one of `values`; false where it carries nothing.
   *
   * @returns undefined when a value cannot be read (AP-36)
   */
  compile(
    values: readonly string[],
    context: PolicyContext,
  ): ((traffic: Traffic) => boolean) | undefined;
  /** @returns undefined when absent */
  read(traffic: Traffic): string | undefined;
  /** Present where rules can be found by what traffic carries. */
  readonly lookup?: TextLookup<Traffic, PolicyContext>;
  /** How it is asked where a match keeps traffic out, if that is another question. */
  readonly keepingOut?: Omit<TrafficAttribute, "keepingOut">;
}

const SCHEME_LENGTH = "spiffe://".length;

export const PRINCIPAL: TrafficAttribute = ofPrincipal({
  compile: (value, { trust }) => compilePrincipal(value, trust),
  describe: (principal) => principal.slice(SCHEME_LENGTH),
  lookup: {
    name: "principal",
    read: ({ connection }) => schemelessOf(connection.principal ?? ""),
    patterns: (values, { trust }) => principalPatterns(values, trust),
  },
});

export const NAMESPACE: TrafficAttribute = ofPrincipal({
  compile: (value) => compileNamespace(value),
  describe: (principal) => /\/ns\/([^/]+)\//.exec(principal)?.[1] ?? principal,
  lookup: {
    name: "namespace",
    read: ({ connection }) => namespacesIn(connection.principal ?? ""),
    patterns: (values) => namespacePatterns(values),
  },
});

export const SERVICE_ACCOUNT: TrafficAttribute = ofPrincipal({
  compile: (value, { namespace }) => compileServiceAccount(value, namespace),
  describe(principal) {
    const [, namespace, account] = /\/ns\/([^/]+)\/sa\/([^/]+)/.exec(principal) ?? [];
    return namespace === undefined ? principal : `${namespace}/${account}`;
  },
  lookup: {
    name: "service account",
    read: ({ connection }) => serviceAccountsIn(connection.principal ?? ""),
    patterns: (values, { namespace }) => serviceAccountPatterns(values, namespace),
  },
});

export const TRUST_DOMAIN: TrafficAttribute = ofPrincipal({
  compile: (value, { trust }) => compileTrustDomain(value, trust),
  describe: (principal) => principal.slice(SCHEME_LENGTH).split("/", 1)[0] ?? "",
  lookup: {
    name: "trust domain",
    read: ({ connection }) => trustDomainOf(connection.principal ?? ""),
    patterns: (values, { trust }) => trustDomainPatterns(values, trust),
  },
});

/** The direct TCP peer (AP-50). */
export const SOURCE_ADDRESS: TrafficAttribute = ofAddress(
  "source address",
  ({ connection }) => connection.sourceAddress,
);

/** The address after X-Forwarded-For (AP-51). */
export const REMOTE_ADDRESS: TrafficAttribute = ofAddress(
  "remote address",
  ({ remoteAddress }) => remoteAddress,
);

/** The callee's own address as dialled (AP-92). */
export const DESTINATION_ADDRESS: TrafficAttribute = ofAddress(
  "destination address",
  ({ connection }) => connection.destinationAddress,
);

/** The container port (AP-56). */
export const DESTINATION_PORT: TrafficAttribute = attribute({
  layer: "connection",
  read: ({ connection }) => connection.destinationPort,
  compile: compilePorts,
  tell: ({ connection }) => String(connection.destinationPort),
  lookup: {
    name: "port",
    read: ({ connection }) => String(connection.destinationPort),
    patterns: (values) => stringPatterns(values.map((value) => String(Number(value)))),
  },
});

/** AP-94 */
export const SERVER_NAME: TrafficAttribute = ofText({
  name: "server name",
  layer: "connection",
  read: ({ connection }) => connection.serverName,
});

/** AP-53 */
export const METHOD: TrafficAttribute = ofText(
  { name: "method", layer: "http", read: ({ method }) => method },
  { star: "present" },
);

/** The path without its query: a string pattern or a template (AP-54, AP-55, AP-72). */
export const PATH: TrafficAttribute = attribute({
  layer: "http",
  read: readPathname,
  compile: compilePaths,
  tell: readPathname,
  lookup: { name: "path", read: readPathname, patterns: pathPatterns },
});

/** What only filters of Envoy set (AP-95): nothing here does. */
export const FILTER_METADATA: TrafficAttribute = ofText({
  name: "filter metadata",
  layer: "connection",
  read: () => undefined,
});

function someMatches<T>(matchers: readonly ((actual: T) => boolean)[], actual: T): boolean {
  for (const matches of matchers) if (matches(actual)) return true;
  return false;
}

interface Reading<T> {
  readonly layer: TrafficAttribute["layer"];
  readonly origin?: TrafficAttribute["origin"];
  readonly read: (traffic: Traffic) => T | undefined;
  /** @returns undefined when one of the values cannot be read */
  readonly compile: (
    values: readonly string[],
    context: PolicyContext,
  ) => ((actual: T) => boolean) | undefined;
  /** What was read, for people. */
  readonly tell: (traffic: Traffic) => string | undefined;
  readonly lookup?: TextLookup<Traffic, PolicyContext>;
}

function attribute<T>({
  layer,
  origin = "traffic",
  read,
  compile,
  tell,
  lookup,
}: Reading<T>): TrafficAttribute {
  return {
    ...(lookup && { lookup }),
    layer,
    origin,
    shown: "shown",
    read: tell,
    compile(values, context) {
      const matches = compile(values, context);
      if (matches === undefined) return undefined;
      return (traffic) => {
        const actual = read(traffic);
        return actual !== undefined && matches(actual);
      };
    },
  };
}

/** A text, compared by string patterns. */
export function ofText(
  { name, layer, read }: Pick<Reading<string>, "layer" | "read"> & { readonly name: string },
  options: StringMatchOptions = {},
): TrafficAttribute {
  const folded = options.letterCase === "insensitive";
  return attribute({
    lookup: {
      name,
      read: folded ? (traffic) => foldPresent(read(traffic)) : read,
      patterns: (values) => stringPatterns(values, options),
    },
    layer,
    read,
    compile: (values) => compileStringMatches(values, options),
    tell: read,
  });
}

function foldPresent(text: string | undefined): string | undefined {
  return text === undefined ? undefined : foldAscii(text);
}

function ofPrincipal({
  compile,
  describe,
  lookup,
}: Pick<Reading<string>, "lookup"> & {
  readonly compile: (value: string, context: PolicyContext) => PrincipalPattern | undefined;
  readonly describe: (principal: string) => string;
}): TrafficAttribute {
  return attribute<string>({
    ...(lookup && { lookup }),
    layer: "connection",
    origin: "peer",
    read: ({ connection }) => connection.principal,
    compile(values, context) {
      const patterns = values.map((value) => compile(value, context));
      const read = patterns.filter((pattern) => pattern !== undefined);
      if (read.length < patterns.length) return undefined;
      return (principal) => someMatches(read, principal);
    },
    tell: ({ connection: { principal } }) =>
      principal === undefined ? undefined : describe(principal),
  });
}

function ofAddress(name: string, read: (traffic: Traffic) => string): TrafficAttribute {
  const bitsOf = addressBitsReader();
  return attribute<IpAddress>({
    lookup: { name, read: (traffic) => bitsOf(read(traffic)), patterns: rangePatterns },
    layer: "connection",
    read: (traffic) => parseIpAddress(read(traffic)),
    compile: compileRanges,
    tell: read,
  });
}
