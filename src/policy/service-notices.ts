/** Services that lead nowhere: no workload behind them, or none with the port they point at. */
import { quoted } from "../api/quoted.ts";
import type { Notice, Resource } from "../api/resource.ts";
import type { Service, ServicePort } from "../api/service.ts";
import type { StatefulSet } from "../api/stateful-set.ts";
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { isBehind, ofKind } from "./mesh-snapshot.ts";
import { nameHint, tellNames } from "./name-hint.ts";
import { unlessElsewhere } from "./remote-cluster-notices.ts";
import { selectorNotice } from "./selector-notices.ts";

export function serviceNotices(service: Service, inventory: MeshInventory): Notice[] {
  const { meta, selector, ports } = service;
  const unanswered = selectorNotice(inventory, {
    source: meta.source,
    path: "spec.selector",
    selector,
    reach: meta,
    consequence: `nobody answers who calls this service${unlessElsewhere(inventory)}`,
  });
  if (unanswered !== undefined) return [unanswered];
  const pods = inventory.pods.filter((pod) => isBehind(service, pod));
  if (pods.length === 0) return [];
  return ports.flatMap((port, index) => {
    const message = targetProblem(port, pods);
    return message === undefined
      ? []
      : { source: meta.source, path: `spec.ports[${index}]`, message };
  });
}

/** StatefulSets whose pods get no names of their own, because there is no such headless service. */
export function governingServiceNotices(resources: readonly Resource[]): Notice[] {
  const services = ofKind(resources, "Service");
  return ofKind(resources, "StatefulSet").flatMap((owner) => {
    const problem = owner.serviceName === "" ? undefined : governingProblem(owner, services);
    if (problem === undefined) return [];
    const example = `${owner.meta.name}-0.${owner.serviceName}`;
    const message = `${problem}, so that names such as ${example} lead nowhere`;
    return { source: owner.meta.source, path: "spec.serviceName", message };
  });
}

function governingProblem(
  { meta, serviceName, template }: StatefulSet,
  services: readonly Service[],
): string | undefined {
  const near = services.filter((service) => service.meta.namespace === meta.namespace);
  const service = near.find((candidate) => candidate.meta.name === serviceName);
  if (service === undefined) {
    const hint = nameHint(serviceName, {
      known: near.filter(({ headless }) => headless).map((candidate) => candidate.meta.name),
      otherwise: () => "add it, with clusterIP: None",
    });
    return `${quoted(serviceName)} is no Service of namespace ${meta.namespace} (${hint})`;
  }
  if (!service.headless) return `Service ${serviceName} is not headless (clusterIP: None)`;
  const pod = { namespace: meta.namespace, labels: template.labels };
  return isBehind(service, pod) ? undefined : `Service ${serviceName} does not select these pods`;
}

function targetProblem(
  { targetPort }: ServicePort,
  pods: readonly InventoryPod[],
): string | undefined {
  const declared = pods.flatMap(({ ports }) => ports);
  if (typeof targetPort === "number") return numberProblem(targetPort, pods);
  if (declared.some(({ name }) => name === targetPort)) return undefined;
  const hint = nameHint(targetPort, {
    known: declared.map(({ name }) => name).filter((name) => name !== ""),
    otherwise: (names) => `names of ports there: ${names}`,
  });
  return `leads to the port called ${targetPort}, which no workload behind the service declares, so callers reach nobody; ${hint}`;
}

/** To declare a port is optional: only who declares others is taken to have forgotten, or mistaken, this one. */
function numberProblem(targetPort: number, pods: readonly InventoryPod[]): string | undefined {
  const isTold = ({ ports }: InventoryPod): boolean =>
    ports.length > 0 && ports.every(({ containerPort }) => containerPort !== targetPort);
  if (!pods.every(isTold)) return undefined;
  const numbers = pods.flatMap(({ ports }) => ports.map(({ containerPort }) => containerPort));
  const known = [...new Set(numbers)].sort((a, b) => a - b).map(String);
  return `leads to container port ${targetPort}, which no workload behind the service declares, so callers may find nobody listening; declared there: ${tellNames(known)}`;
}
