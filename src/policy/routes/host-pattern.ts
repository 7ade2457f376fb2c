/**
 * Names of hosts as routes and gateways write them, perhaps with `*` in front.
 * Source: `pkg/config/host` of Istio
 */
import { serviceHost } from "../service-host.ts";

/** A name without a dot is a service of the resource's own namespace. In lower case. */
export function fullHostName(host: string, namespace: string): string {
  const name = host.toLowerCase();
  if (name.includes("*") || name.includes(".") || name === "") return name;
  return serviceHost({ namespace, name });
}

/** Whether all that `inner` stands for, `outer` stands for too. */
export function isWithin(inner: string, outer: string): boolean {
  if (!outer.startsWith("*")) return inner === outer;
  if (!inner.startsWith("*")) return inner.endsWith(outer.slice(1));
  return inner.length >= outer.length && inner.slice(1).endsWith(outer.slice(1));
}

/** What both stand for: of each pair the narrower. Thousands of either are no trouble. */
export function commonHosts(some: readonly string[], others: readonly string[]): readonly string[] {
  const [any, other] = [new HostPatterns(some), new HostPatterns(others)];
  return [
    ...new Set([
      ...some.filter((one) => other.standFor(one)),
      ...others.filter((one) => any.standFor(one)),
    ]),
  ];
}

/** As `isWithin` of any of them, without asking each. */
class HostPatterns {
  readonly #exact = new Set<string>();
  /** What follows the `*`. */
  readonly #suffixes = new Set<string>();

  constructor(patterns: readonly string[]) {
    for (const one of patterns) {
      if (one.startsWith("*")) this.#suffixes.add(one.slice(1));
      else this.#exact.add(one);
    }
  }

  standFor(inner: string): boolean {
    if (this.#exact.has(inner)) return true;
    if (this.#suffixes.size === 0) return false;
    const name = inner.startsWith("*") ? inner.slice(1) : inner;
    for (let at = 0; at <= name.length; at++) if (this.#suffixes.has(name.slice(at))) return true;
    return false;
  }
}
