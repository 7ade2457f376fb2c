/**
 * What rules say about a caller's identity: principals, namespaces, service accounts, trust domains (AP-45..AP-48).
 * Patterns are compiled once for each policy change; the returned functions take a verified SPIFFE id.
 */
import { parseStringMatch } from "../api/string-match.ts";
import { expandPrincipal, expandTrustDomain } from "./trust-domain-aliases.ts";
import type { Trust } from "./workload-view.ts";

export type PrincipalPattern = (principal: string) => boolean;

const SCHEME = "spiffe://";
const MAX_SERVICE_ACCOUNT_CHARACTERS = 320;

/** A value of `principals`, in every trust domain it stands for (AP-45, AP-45d). */
export function compilePrincipal(value: string, trust: Trust): PrincipalPattern {
  const patterns = expandPrincipal(value, trust).map(compileOnePrincipal);
  return (principal) => matchesAny(patterns, principal);
}

/** A value of `namespaces`. Its `*` stays within one segment, so that `*a` cannot stretch over `/sa` (AP-46, AP-90). */
export function compileNamespace(value: string): PrincipalPattern {
  if (!value.includes("*")) {
    const segment = `/ns/${value}/`;
    return (principal) => principal.includes(segment);
  }
  const pattern = new RegExp(`/ns/${value.split(/\*+/).map(quote).join("[^/]*")}/`);
  return (principal) => pattern.test(principal);
}

/**
 * A value of `serviceAccounts`: `SA` in the policy's own namespace, or `NS/SA`; in any trust domain (AP-47).
 *
 * @returns undefined when the value is neither
 */
export function compileServiceAccount(
  value: string,
  policyNamespace: string,
): PrincipalPattern | undefined {
  if (value.length > MAX_SERVICE_ACCOUNT_CHARACTERS) return undefined;
  const [first = "", second, ...rest] = value.split("/");
  const [namespace, account] = second === undefined ? [policyNamespace, first] : [first, second];
  if (namespace === "" || account === "" || rest.length > 0) return undefined;
  const pattern = new RegExp(
    `^${SCHEME}.+/ns/${quote(namespace)}/(.+/|)sa/${quote(account)}(/.+)?$`,
  );
  return (principal) => pattern.test(principal);
}

/** A value of `trustDomains`: exact, or with one `*` at an edge; an exact one that is ours stands for all of ours (AP-48). */
export function compileTrustDomain(value: string, trust: Trust): PrincipalPattern {
  const domains = value.includes("*") ? [value] : expandTrustDomain(value, trust);
  const patterns = domains.map(compileOneTrustDomain);
  return (principal) => matchesAny(patterns, principal);
}

function matchesAny(patterns: readonly PrincipalPattern[], principal: string): boolean {
  for (const pattern of patterns) if (pattern(principal)) return true;
  return false;
}

function compileOnePrincipal(value: string): PrincipalPattern {
  const match = parseStringMatch(value);
  switch (match.kind) {
    case "present":
      return (principal) => principal !== "";
    case "prefix":
      return startsWith(SCHEME + match.text);
    case "suffix":
      return (principal) =>
        principal.startsWith(SCHEME) &&
        principal.length >= SCHEME.length + match.text.length &&
        principal.endsWith(match.text);
    case "exact": {
      const exact = SCHEME + match.text;
      return (principal) => principal === exact;
    }
  }
}

function compileOneTrustDomain(value: string): PrincipalPattern {
  const match = parseStringMatch(value);
  switch (match.kind) {
    case "present":
      return startsWith(SCHEME);
    case "exact":
      return startsWith(`${SCHEME}${match.text}/`);
    case "prefix":
      return startsDomain(`${quote(match.text)}[^/]*`);
    case "suffix":
      return startsDomain(`[^/]*${quote(match.text)}`);
  }
}

function startsWith(prefix: string): PrincipalPattern {
  return (principal) => principal.startsWith(prefix);
}

function startsDomain(expression: string): PrincipalPattern {
  const pattern = new RegExp(`^${SCHEME}${expression}/`);
  return (principal) => pattern.test(principal);
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
