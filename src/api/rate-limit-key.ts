/**
 * By what a rate limit counts apart. The names are those of conditions in AuthorizationPolicies (AP-80..AP-98), and three
 * more of requests.
 */
import { closestName } from "./closest-name.ts";
import { quoted, shortened } from "./quoted.ts";

const OF_CONNECTIONS: readonly string[] = [
  "source.principal",
  "source.namespace",
  "source.serviceAccount",
  "source.trustDomain",
  "source.ip",
  "remote.ip",
  "destination.port",
];
const OF_REQUESTS: readonly string[] = [
  "request.path",
  "request.method",
  "request.host",
  "request.auth.principal",
];
const NAMED: readonly string[] = ["request.headers[name]", "request.auth.claims[name]"];
const HEADER = /^request\.headers\[[!#$%&'*+.^_`|~0-9A-Za-z-]+\]$/;
const CLAIM = /^request\.auth\.claims(\[[^[\]]+\])+$/;

/** Says what is wrong with one part of a key; undefined when nothing is. */
export function limitKeyProblem(part: string): string | undefined {
  if (OF_CONNECTIONS.includes(part) || OF_REQUESTS.includes(part)) return undefined;
  if (HEADER.test(part) || CLAIM.test(part)) return undefined;
  const all = [...OF_CONNECTIONS, ...OF_REQUESTS, ...NAMED];
  const meant = closestName(part, all) ?? NAMED.find((one) => isFormOf(part, one));
  const hint = meant === undefined ? `; expected one of ${all.join(", ")}` : hintOf(meant);
  return `${quoted(part)} is nothing that can be counted apart${hint}`;
}

/** Whether only requests have it. */
export function isRequestKey(part: string): boolean {
  return part.startsWith("request.");
}

function isFormOf(part: string, named: string): boolean {
  return part.startsWith(named.slice(0, named.indexOf("[")));
}

function hintOf(meant: string): string {
  return `; did you mean ${shortened(meant)}?`;
}
