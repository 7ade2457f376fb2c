/** The attributes of traffic that rules ask about: how each is read, and how a policy's values are matched against it. */
import { cidrContains, type IpAddress, parseCidr, parseIpAddress } from "../api/cidr.ts";
import { compilePathTemplate, isPathTemplate, pathProblem } from "../api/path-template.ts";
import { compileStringMatch, type StringMatchOptions } from "../api/string-match.ts";
import {
  compileNamespace,
  compilePrincipal,
  compileServiceAccount,
  compileTrustDomain,
  type PrincipalPattern,
} from "./principal-pattern.ts";
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
  /** Whether values may be told to people and logs. */
  readonly shown: "shown" | "secret";
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
}

/** Headers whose values are credentials: never told. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "x-api-key",
]);
const SCHEME_LENGTH = "spiffe://".length;
const PORT = /^[1-9][0-9]{0,4}$/;

export const PRINCIPAL: TrafficAttribute = ofPrincipal({
  compile: (value, { trust }) => compilePrincipal(value, trust),
  describe: (principal) => principal.slice(SCHEME_LENGTH),
});

export const NAMESPACE: TrafficAttribute = ofPrincipal({
  compile: (value) => compileNamespace(value),
  describe: (principal) => /\/ns\/([^/]+)\//.exec(principal)?.[1] ?? principal,
});

export const SERVICE_ACCOUNT: TrafficAttribute = ofPrincipal({
  compile: (value, { namespace }) => compileServiceAccount(value, namespace),
  describe(principal) {
    const [, namespace, account] = /\/ns\/([^/]+)\/sa\/([^/]+)/.exec(principal) ?? [];
    return namespace === undefined ? principal : `${namespace}/${account}`;
  },
});

export const TRUST_DOMAIN: TrafficAttribute = ofPrincipal({
  compile: (value, { trust }) => compileTrustDomain(value, trust),
  describe: (principal) => principal.slice(SCHEME_LENGTH).split("/", 1)[0] ?? "",
});

/** The direct TCP peer (AP-50). */
export const SOURCE_ADDRESS: TrafficAttribute = ofAddress(
  ({ connection }) => connection.sourceAddress,
);

/** The address after X-Forwarded-For (AP-51). */
export const REMOTE_ADDRESS: TrafficAttribute = ofAddress(({ remoteAddress }) => remoteAddress);

/** The callee's own address as dialled (AP-92). */
export const DESTINATION_ADDRESS: TrafficAttribute = ofAddress(
  ({ connection }) => connection.destinationAddress,
);

/** The container port (AP-56). */
export const DESTINATION_PORT: TrafficAttribute = attribute({
  layer: "connection",
  read: ({ connection }) => connection.destinationPort,
  compile(value) {
    const port = Number(value);
    return PORT.test(value) && port <= 65535 ? (actual) => actual === port : undefined;
  },
  tell: ({ connection }) => String(connection.destinationPort),
});

/** AP-94 */
export const SERVER_NAME: TrafficAttribute = ofText({
  layer: "connection",
  read: ({ connection }) => connection.serverName,
});

/** AP-52 */
export const HOST: TrafficAttribute = ofText(
  { layer: "http", read: ({ authority }) => authority },
  { star: "present", letterCase: "insensitive" },
);

/** AP-53 */
export const METHOD: TrafficAttribute = ofText(
  { layer: "http", read: ({ method }) => method },
  { star: "present" },
);

/** The path without its query: a string pattern or a template (AP-54, AP-55, AP-72). */
export const PATH: TrafficAttribute = attribute({
  layer: "http",
  read: readPathname,
  compile(value, { matching }) {
    if (!isPathTemplate(value)) return compileStringMatch(value);
    if (pathProblem(value) !== undefined) return undefined;
    const reach = matching === "lets-in" ? "envoy-bytes" : "any-byte";
    return compilePathTemplate(value, { reach });
  },
  tell: readPathname,
});

/** What only a verified token of the end user carries. Tokens are not verified yet, so nothing carries it. */
export const TOKEN_CLAIM: TrafficAttribute = ofText({ layer: "http", read: () => undefined });

/** What only filters of Envoy set (AP-95): nothing here does. */
export const FILTER_METADATA: TrafficAttribute = ofText({
  layer: "connection",
  read: () => undefined,
});

/**
 * A header, or one of the pseudo headers `:path` (with its query), `:method` and `:authority` (AP-80, AP-98).
 *
 * @param name in any letter case
 */
export function headerAttribute(name: string): TrafficAttribute {
  const lowerCase = name.toLowerCase();
  const header = ofText({ layer: "http", read: headerReader(lowerCase) }, { star: "present" });
  return SECRET_HEADERS.has(lowerCase) ? { ...header, shown: "secret" } : header;
}

function headerReader(name: string): (traffic: Traffic) => string | undefined {
  switch (name) {
    case ":path":
      return ({ path }) => path;
    case ":method":
      return ({ method }) => method;
    case ":authority":
    case "host":
      return ({ authority }) => authority;
    default:
      return (traffic) => traffic.header?.(name);
  }
}

function readPathname({ path }: Traffic): string | undefined {
  if (path === undefined) return undefined;
  const end = path.indexOf("?");
  return end < 0 ? path : path.slice(0, end);
}

interface Reading<T> {
  readonly layer: TrafficAttribute["layer"];
  readonly read: (traffic: Traffic) => T | undefined;
  readonly compile: (value: string, context: PolicyContext) => ((actual: T) => boolean) | undefined;
  /** What was read, for people. */
  readonly tell: (traffic: Traffic) => string | undefined;
}

function attribute<T>({ layer, read, compile, tell }: Reading<T>): TrafficAttribute {
  return {
    layer,
    shown: "shown",
    read: tell,
    compile(values, context) {
      const matchers: ((actual: T) => boolean)[] = [];
      for (const value of values) {
        const matcher = compile(value, context);
        if (matcher === undefined) return undefined;
        matchers.push(matcher);
      }
      return (traffic) => {
        const actual = read(traffic);
        if (actual === undefined) return false;
        for (const matches of matchers) if (matches(actual)) return true;
        return false;
      };
    },
  };
}

function ofText(
  { layer, read }: Pick<Reading<string>, "layer" | "read">,
  options: StringMatchOptions = {},
): TrafficAttribute {
  return attribute({
    layer,
    read,
    compile: (value) => compileStringMatch(value, options),
    tell: read,
  });
}

function ofPrincipal({
  compile,
  describe,
}: {
  readonly compile: (value: string, context: PolicyContext) => PrincipalPattern | undefined;
  readonly describe: (principal: string) => string;
}): TrafficAttribute {
  return attribute<string>({
    layer: "connection",
    read: ({ connection }) => connection.principal,
    compile,
    tell: ({ connection: { principal } }) =>
      principal === undefined ? undefined : describe(principal),
  });
}

function ofAddress(read: (traffic: Traffic) => string): TrafficAttribute {
  return attribute<IpAddress>({
    layer: "connection",
    read: (traffic) => parseIpAddress(read(traffic)),
    compile(value) {
      const range = parseCidr(value);
      return range === undefined ? undefined : (address) => cidrContains(range, address);
    },
    tell: read,
  });
}
