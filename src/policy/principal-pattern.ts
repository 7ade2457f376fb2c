/**
 * What rules say about a caller's identity: principals, namespaces, service accounts, trust domains (AP-45..AP-48).
 * Patterns are compiled once for each policy change; the returned functions take a verified SPIFFE id.
 */
import { parseStringMatch } from "../api/string-match.ts";
import { contiguous, stringPatterns, type TextPattern } from "./text-lookup.ts";
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
  const wanted = value.split("/").map((segment) => segment.split(/\*+/));
  return (principal) => {
    const segments = principal.split("/");
    for (let at = segments.indexOf("ns", 1); at > 0; at = segments.indexOf("ns", at + 1)) {
      if (at + wanted.length + 1 >= segments.length) return false;
      if (wanted.every((parts, index) => fitsParts(parts, segments[at + 1 + index] ?? ""))) {
        return true;
      }
    }
    return false;
  };
}

/** Whether a text is the parts with anything between them; each is looked for once, so that many cost no more than one. */
function fitsParts(parts: readonly string[], text: string): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
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
  const account = qualifiedAccount(value, policyNamespace);
  if (!/^[^/]+\/[^/]+$/.test(account)) return undefined;
  return (principal) => serviceAccountsIn(principal).includes(account);
}

/** A value of `trustDomains`: exact, or with one `*` at an edge; an exact one that is ours stands for all of ours (AP-48). */
export function compileTrustDomain(value: string, trust: Trust): PrincipalPattern {
  const domains = value.includes("*") ? [value] : expandTrustDomain(value, trust);
  const patterns = domains.map(compileOneTrustDomain);
  return (principal) => matchesAny(patterns, principal);
}

/** A principal without its scheme, as rules name it; undefined when it is no SPIFFE id. */
export function schemelessOf(principal: string): string | undefined {
  return principal.startsWith(SCHEME) ? principal.slice(SCHEME.length) : undefined;
}

/** What stands between the scheme and a path (AP-48). */
export function trustDomainOf(principal: string): string | undefined {
  const schemeless = schemelessOf(principal);
  const slash = schemeless?.indexOf("/") ?? -1;
  return slash < 0 ? undefined : schemeless?.slice(0, slash);
}

/** Where rules stand that name trust domains; what no domain can be has to be tried. */
export function trustDomainPatterns(
  values: readonly string[],
  trust: Trust,
): readonly TextPattern[] | undefined {
  if (values.some((value) => value.includes("/"))) return undefined;
  return stringPatterns(
    values.flatMap((value) => (value.includes("*") ? [value] : expandTrustDomain(value, trust))),
  );
}

/** Where rules stand that name principals, without the scheme. */
export function principalPatterns(
  values: readonly string[],
  trust: Trust,
): readonly TextPattern[] | undefined {
  const patterns: TextPattern[] = [];
  for (const value of values.flatMap((one) => expandPrincipal(one, trust))) {
    const match = parseStringMatch(value);
    if (match.kind === "present") return undefined;
    patterns.push({ kind: match.kind, text: contiguous(match.text), proof: "sure" });
  }
  return patterns;
}

/** Where rules stand that name namespaces; one with a wildcard is everywhere. */
export function namespacePatterns(values: readonly string[]): readonly TextPattern[] | undefined {
  if (values.some((value) => value.includes("*") || value.includes("/"))) return undefined;
  return values.map((text) => ({ kind: "exact", text, proof: "sure" }));
}

/** Where rules stand that name service accounts: under `NS/SA`. */
export function serviceAccountPatterns(
  values: readonly string[],
  policyNamespace: string,
): readonly TextPattern[] {
  return values.map((value) => {
    return { kind: "exact", text: qualifiedAccount(value, policyNamespace), proof: "sure" };
  });
}

/** All rules of a policy ask about the same peer: the last one read is kept. */
let lastRead: { readonly principal: string; readonly accounts: readonly string[] } = {
  principal: "",
  accounts: [],
};

/**
 * The accounts, as `NS/SA`, that a principal can be meant by: after `/ns/NS`, perhaps further on, `sa/SA`, and perhaps
 * more (AP-47). Of those that this mesh issues it is one.
 */
export function serviceAccountsIn(principal: string): readonly string[] {
  if (principal !== lastRead.principal) {
    lastRead = { principal, accounts: findServiceAccounts(principal) };
  }
  return lastRead.accounts;
}

function findServiceAccounts(principal: string): readonly string[] {
  if (!principal.startsWith(SCHEME) || principal.endsWith("/")) return [];
  const segments = principal.slice(SCHEME.length).split("/");
  const found: string[] = [];
  for (const [at, segment] of segments.entries()) {
    if (segment !== "ns" || at === 0 || (at === 1 && segments[0] === "")) continue;
    for (let account = at + 2; account + 1 < segments.length; account++) {
      const emptyBetween = account === at + 3 && segments[at + 2] === "";
      if (segments[account] === "sa" && !emptyBetween) {
        found.push(`${segments[at + 1]}/${segments[account + 1]}`);
      }
    }
  }
  return found;
}

function qualifiedAccount(value: string, policyNamespace: string): string {
  return value.includes("/") ? value : `${policyNamespace}/${value}`;
}

/** Every segment after one called `ns`, and before another (AP-46). */
export function namespacesIn(principal: string): readonly string[] {
  const segments = principal.split("/");
  return segments.slice(1, -1).filter((_, index) => index > 0 && segments[index] === "ns");
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
