/**
 * Ports of this machine that users would call a gateway by: those of the services in front of it. Where one is free, and may
 * be taken, it is; so the address that a certificate and a browser expect is the one that works here.
 */
import type { Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import { isBehind, ofKind } from "../policy/mesh-snapshot.ts";
import { planWorkloads } from "../policy/plan-workloads.ts";
import { targetContainerPort } from "../policy/service-target.ts";
import type { Workload } from "../policy/workload.ts";

/** By placement key of `planWorkloads`; a gateway of several pods has one that is called so. */
export function preferredGatewayPorts(resources: readonly Resource[]): ReadonlyMap<string, number> {
  const nowhere = { place: () => ({ address: "", port: 0 }), uid: () => "" };
  const gateways = planWorkloads(resources, nowhere).filter(({ gateway }) => gateway);
  const preferred = new Map<string, number>();
  for (const service of ofKind(resources, "Service")) {
    const workload = gateways.find((one) => isBehind(service, one));
    if (workload === undefined) continue;
    for (const declared of service.ports) {
      const target = targetContainerPort(declared, workload);
      const key = `${workload.namespace}/${workload.name}/listen/${target?.containerPort}`;
      if (target !== undefined && !preferred.has(key)) preferred.set(key, declared.port);
    }
  }
  return preferred;
}

interface OfferedPort {
  /** `namespace/name` */
  readonly service: string;
  readonly port: number;
}

/** The same of services that the host's side offers. */
export function preferredPublishedPorts<Offered extends OfferedPort>(
  offered: readonly Offered[],
  {
    services,
    workloads,
    keyOf,
  }: {
    readonly services: readonly Service[];
    readonly workloads: readonly Workload[];
    readonly keyOf: (offered: Offered) => string;
  },
): ReadonlyMap<string, number> {
  const gateways = workloads.filter(({ gateway }) => gateway);
  const edges = new Set(
    services
      .filter((service) => gateways.some((one) => isBehind(service, one)))
      .map(({ meta }) => `${meta.namespace}/${meta.name}`),
  );
  return new Map(
    offered.filter(({ service }) => edges.has(service)).map((one) => [keyOf(one), one.port]),
  );
}
