/** What a trust domain in a policy stands for in a mesh that has several (AP-45d, AP-48). */
import type { TrustDomains } from "./asked.ts";

/** Every principal that a value of `principals` stands for. */
export function expandPrincipal(value: string, trust: TrustDomains): readonly string[] {
  const [domain = "", ...path] = value.split("/");
  if (path.length !== 4 || domain === "*") return [value];
  const members = [trust.trustDomain, ...trust.trustDomainAliases];
  const known = members.some((member) => areSame(domain, member));
  if (!known && domain !== "cluster.local") return [value];
  // A pattern that covers a member already needs no other form of it.
  return members.map((member) =>
    isSuffixOf(domain, member) ? value : [member, ...path].join("/"),
  );
}

/** Every trust domain that a value of `trustDomains` stands for. */
export function expandTrustDomain(value: string, trust: TrustDomains): readonly string[] {
  const members = [trust.trustDomain, ...trust.trustDomainAliases];
  return members.includes(value) ? members : [value];
}

/** Either may be the pattern. */
function areSame(one: string, other: string): boolean {
  if (one === other || other === "*") return true;
  return [
    isSuffixOf(one, other),
    isSuffixOf(other, one),
    isPrefixOf(one, other),
    isPrefixOf(other, one),
  ].includes(true);
}

function isSuffixOf(pattern: string, text: string): boolean {
  return pattern.startsWith("*") && text.endsWith(pattern.slice(1));
}

function isPrefixOf(pattern: string, text: string): boolean {
  return pattern.endsWith("*") && text.startsWith(pattern.slice(0, -1));
}
