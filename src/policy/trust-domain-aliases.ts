/** One policy value stands for the same workload in every trust domain that is ours (AP-45d). */
import type { Trust } from "./workload-view.ts";

/** Always means the local trust domain, whatever its name. */
export const LOCAL_TRUST_DOMAIN = "cluster.local";

type TrustDomains = Pick<Trust, "trustDomain" | "trustDomainAliases">;

/**
 * The values that a value of `principals` stands for. Only `td/ns/NS/sa/SA` with a trust domain that is ours becomes
 * several; everything else stands for itself.
 */
export function expandPrincipal(value: string, trust: TrustDomains): readonly string[] {
  const segments = value.split("/");
  const [domain = ""] = segments;
  if (segments.length !== 5) return [value];
  const rest = segments.slice(1).join("/");
  return expandDomainOfPrincipal(domain, trust).map((expanded) => `${expanded}/${rest}`);
}

/** The trust domains that a value of `trustDomains` stands for: all that are ours when it is exactly one of them (AP-48). */
export function expandTrustDomain(value: string, trust: TrustDomains): readonly string[] {
  const ours = [trust.trustDomain, ...trust.trustDomainAliases];
  return ours.includes(value) ? [...new Set(ours)] : [value];
}

/** The trust domains that the first segment of a principal, perhaps a pattern, stands for (AP-45d). */
function expandDomainOfPrincipal(domain: string, trust: TrustDomains): readonly string[] {
  const ours = [trust.trustDomain, ...trust.trustDomainAliases];
  if (domain !== LOCAL_TRUST_DOMAIN && !ours.some((each) => covers(domain, each))) return [domain];
  const expanded = ours.map((each) => (coversBySuffix(domain, each) ? domain : each));
  return [...new Set(expanded)];
}

function covers(pattern: string, domain: string): boolean {
  if (pattern === domain || coversBySuffix(pattern, domain)) return true;
  return pattern.endsWith("*") && domain.startsWith(pattern.slice(0, -1));
}

function coversBySuffix(pattern: string, domain: string): boolean {
  return pattern.startsWith("*") && domain.endsWith(pattern.slice(1));
}
