/** Services that lead nowhere: no workload behind them, or none with the port they point at. */
import type { Notice } from "../api/resource.ts";
import type { Service, ServicePort } from "../api/service.ts";
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { isBehind } from "./mesh-snapshot.ts";
import { nameHint, tellNames } from "./name-hint.ts";
import { selectorNotice } from "./selector-notices.ts";

export function serviceNotices(service: Service, inventory: MeshInventory): Notice[] {
  const { meta, selector, ports } = service;
  const unanswered = selectorNotice(inventory, {
    source: meta.source,
    path: "spec.selector",
    selector,
    reach: meta,
    consequence: "nobody answers who calls this service",
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
