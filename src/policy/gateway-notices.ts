/** Gateways that nobody serves: Istio deploys nothing for its own kind, and nothing is deployed for it here. */
import { selects } from "../api/label-selector.ts";
import { formatRef, type Notice, type Resource } from "../api/resource.ts";
import { shortList } from "../api/short-list.ts";
import { ofKind } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";

/** For each Gateway of Istio whose selector no gateway workload has. */
export function gatewayNotices(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): readonly Notice[] {
  const gateways = workloads.filter(({ gateway }) => gateway);
  return ofKind(resources, "Gateway")
    .filter(({ selector }) => !gateways.some(({ labels }) => selects(selector, labels)))
    .map(({ meta, selector }) => ({
      source: meta.source,
      path: "spec.selector",
      message: unserved(formatRef({ kind: "Gateway", ...meta }), { selector, gateways, workloads }),
    }));
}

function unserved(
  name: string,
  {
    selector,
    gateways,
    workloads,
  }: {
    readonly selector: Readonly<Record<string, string>>;
    readonly gateways: readonly Workload[];
    readonly workloads: readonly Workload[];
  },
): string {
  const other = workloads.find(({ labels }) => selects(selector, labels));
  if (other !== undefined && Object.keys(selector).length > 0)
    return `${name} is served by nobody: ${other.namespace}/${other.name} has the labels, and is no gateway; annotate its pods with inject.istio.io/templates: gateway, and give them one container, {name: istio-proxy, image: auto}`;
  if (gateways.length === 0)
    return `${name} is served by nobody: no gateway runs in this mesh; add a Deployment whose pods have these labels, the annotation inject.istio.io/templates: gateway, and one container, {name: istio-proxy, image: auto}`;
  const there = gateways.map((one) => `${one.namespace}/${one.name}`);
  return `${name} is served by nobody: no gateway has these labels; there are ${shortList(there)}`;
}
