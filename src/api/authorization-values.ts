/** What the values of AuthorizationPolicy fields and `when` keys may be (VAL-24..VAL-29, VAL-31, VAL-32). */
import type { OperationField, SourceField } from "./authorization-policy.ts";
import { parseCidr } from "./cidr.ts";
import { closestName } from "./closest-name.ts";
import type { Check } from "./decoder.ts";
import { pathProblem } from "./path-template.ts";
import { quoted, shortened } from "./quoted.ts";
import { isWhenKey, WHEN_KEYS, type WhenValues } from "./when-keys.ts";

const MAX_SERVICE_ACCOUNT_BYTES = 320;

export const SOURCE_CHECKS: { readonly [field in SourceField]: Check } = {
  principals: emptyProblem,
  notPrincipals: emptyProblem,
  requestPrincipals: emptyProblem,
  notRequestPrincipals: emptyProblem,
  namespaces: emptyProblem,
  notNamespaces: emptyProblem,
  serviceAccounts: serviceAccountProblem,
  notServiceAccounts: serviceAccountProblem,
  ipBlocks: addressProblem,
  notIpBlocks: addressProblem,
  remoteIpBlocks: addressProblem,
  notRemoteIpBlocks: addressProblem,
  trustDomains: trustDomainProblem,
  notTrustDomains: trustDomainProblem,
};

export const OPERATION_CHECKS: { readonly [field in OperationField]: Check } = {
  hosts: emptyProblem,
  notHosts: emptyProblem,
  ports: portProblem,
  notPorts: portProblem,
  methods: emptyProblem,
  notMethods: emptyProblem,
  paths: nonEmpty(pathProblem),
  notPaths: nonEmpty(pathProblem),
};

const VALUE_CHECKS: { readonly [values in WhenValues]: Check } = {
  text: emptyProblem,
  domain: wildcardProblem,
  account: serviceAccountProblem,
  address: addressProblem,
  port: portProblem,
};

/** Keys that carry a name in brackets; in those of claims anything may stand (AP-91, JWT-64). */
const BRACKET_KEYS: readonly { readonly prefix: string; readonly shape: RegExp }[] = [
  { prefix: "request.headers", shape: /^request\.headers\[[^[\]]+\]$/ },
  { prefix: "request.auth.claims", shape: /^request\.auth\.claims\[.+\]$/s },
  {
    prefix: "experimental.envoy.filters.",
    shape: /^experimental\.envoy\.filters\.[^[\]]+\[[^[\]]+\]$/,
  },
];

/** AP-96 */
const REMOVED_KEYS: readonly { readonly prefix: string; readonly instead: string }[] = [
  { prefix: "destination.labels", instead: "the policy's selector" },
  { prefix: "destination.namespace", instead: "the policy's metadata.namespace" },
  { prefix: "destination.name", instead: "the policy's selector" },
  { prefix: "destination.user", instead: "the policy's selector" },
];

/** What istiod's webhook has against a `when` key (AP-80..AP-98, VAL-31, VAL-32); undefined when nothing. */
export function conditionKeyProblem(key: string): string | undefined {
  if (key === "") return "must not be empty";
  if (isWhenKey(key)) return undefined;
  const removed = REMOVED_KEYS.find(({ prefix }) => key.startsWith(prefix));
  if (removed !== undefined)
    return `${quoted(key)} is no longer a key; use ${removed.instead} instead`;
  const bracket = BRACKET_KEYS.find(({ prefix }) => key.startsWith(prefix));
  if (bracket === undefined) return `${quoted(key)} is not a known key${keyHint(key)}`;
  return hasBracketedName(key) ? undefined : formProblem(key, bracket.prefix);
}

/**
 * What is wrong with the brackets of a key that has no `conditionKeyProblem`: the webhook lets `request.headersX[a]`
 * pass, and then nothing can be made of it (AP-97).
 */
export function conditionFormProblem(key: string): string | undefined {
  const bracket = BRACKET_KEYS.find(({ prefix }) => key.startsWith(prefix));
  if (bracket === undefined || bracket.shape.test(key)) return undefined;
  return formProblem(key, bracket.prefix);
}

/** The webhook's check for the values of a `when` key. */
export function conditionValueCheck(key: string): Check {
  return isWhenKey(key) ? VALUE_CHECKS[WHEN_KEYS[key].values] : emptyProblem;
}

const BRACKET_NAMES: readonly string[] = ["request.headers", "request.auth.claims"];

function keyHint(key: string): string {
  const [written = ""] = key.split("[", 1);
  const meant = closestName(written, [...Object.keys(WHEN_KEYS), ...BRACKET_NAMES]);
  if (meant === undefined) return "";
  const brackets = BRACKET_NAMES.includes(meant) ? key.slice(written.length) || "[name]" : "";
  return `; did you mean ${shortened(`${meant}${brackets}`)}?`;
}

function hasBracketedName(key: string): boolean {
  const open = key.indexOf("[");
  return key.endsWith("]") && open > 0 && open < key.length - 2;
}

function formProblem(key: string, prefix: string): string {
  return `${quoted(key)} should have the form ${prefix}[name]`;
}

function emptyProblem(value: string): string | undefined {
  return value === "" ? "must not be an empty value" : undefined;
}

function nonEmpty(check: Check): Check {
  return (value) => emptyProblem(value) ?? check(value);
}

function addressProblem(value: string): string | undefined {
  if (parseCidr(value) !== undefined) return undefined;
  return `${quoted(value)} is not an IP address or a range such as 10.0.0.0/8`;
}

function portProblem(value: string): string | undefined {
  if (/^[0-9]+$/.test(value) && Number(value) <= 65_535) return undefined;
  return `${quoted(value)} is not a port: expected a number up to 65535`;
}

function serviceAccountProblem(value: string): string | undefined {
  if (value.includes("*")) return `${quoted(value)} must not have a wildcard`;
  if (Buffer.byteLength(value) > MAX_SERVICE_ACCOUNT_BYTES) {
    return `must not be longer than ${MAX_SERVICE_ACCOUNT_BYTES} bytes`;
  }
  if (/^[^/]+(\/[^/]+)?$/.test(value)) return undefined;
  return `${quoted(value)} should be a service account, or namespace/account`;
}

function trustDomainProblem(value: string): string | undefined {
  if (value.includes("/")) return `${quoted(value)} must not have a "/"`;
  return wildcardProblem(value);
}

function wildcardProblem(value: string): string | undefined {
  if (/^(\*?[^*]+|[^*]+\*|\*)$/.test(value)) return undefined;
  return emptyProblem(value) ?? `${quoted(value)} may have one wildcard, at its start or end`;
}
