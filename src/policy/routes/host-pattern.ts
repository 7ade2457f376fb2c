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

/** What both stand for: of each pair the narrower. */
export function commonHosts(some: readonly string[], others: readonly string[]): readonly string[] {
  const common = new Set<string>();
  for (const one of some) {
    for (const other of others) {
      if (isWithin(one, other)) common.add(one);
      else if (isWithin(other, one)) common.add(other);
    }
  }
  return [...common];
}
