/**
 * Which pods have a name of their own below that of a headless service: those of a StatefulSet, and those whose
 * template says so.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */
import type { PodOwner } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import type { Workload } from "./workload.ts";

export interface PodDomain {
  /** The service, in the pods' own namespace. */
  readonly serviceName: string;
  /** Absent: each pod's name. */
  readonly hostname?: string;
}

/** By `kind namespace/name` of the owner. */
export type PodDomains = ReadonlyMap<string, PodDomain>;

export function buildPodDomains(owners: readonly PodOwner[]): PodDomains {
  return new Map(
    owners.flatMap((owner) => {
      const domain = podDomain(owner);
      return domain === undefined ? [] : [[keyOf(owner.kind, owner.meta), domain]];
    }),
  );
}

/** The name before the service's by which the pod alone is meant; undefined where there is none. */
export function podHostname(
  domains: PodDomains,
  { workload, service }: { readonly workload: Workload; readonly service: Service },
): string | undefined {
  const { namespace, owner, ownerKind, name } = workload;
  const domain = domains.get(keyOf(ownerKind, { namespace, name: owner }));
  if (!service.headless || domain?.serviceName !== service.meta.name) return undefined;
  return domain.hostname ?? name;
}

/** Undefined for an owner whose pods have no names of their own. */
export function podDomain(owner: PodOwner): PodDomain | undefined {
  if (owner.kind === "StatefulSet") {
    return owner.serviceName === "" ? undefined : { serviceName: owner.serviceName };
  }
  const { hostname, subdomain } = owner.template;
  if (hostname === undefined || subdomain === undefined) return undefined;
  return { serviceName: subdomain, hostname };
}

function keyOf(
  kind: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): string {
  return `${kind} ${namespace}/${name}`;
}
