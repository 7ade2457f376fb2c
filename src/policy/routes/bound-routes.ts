/** Which VirtualServices are for a gateway, or for sidecars, and in which order they count. */
import type { VirtualService } from "../../api/virtual-service.ts";
import type { MeshSnapshot } from "../mesh-snapshot.ts";
import { gatewaysOf } from "./virtual-service-routes.ts";

/**
 * Those that name the gateway and are for the namespace of its proxy: what is private there first, then what was
 * exported to it, then what is for all; of each the oldest first (`VirtualServicesForGateway`).
 *
 * @param gateway `NAMESPACE/NAME`, or `mesh`
 * @param namespace of the gateway's workload, or of the client
 */
export function boundVirtualServices(
  { virtualServices }: Pick<MeshSnapshot, "virtualServices">,
  { gateway, namespace }: { readonly gateway: string; readonly namespace: string },
): readonly VirtualService[] {
  const bound = virtualServices.filter(
    (service) => service.hosts.length > 0 && gatewaysOf(service).includes(gateway),
  );
  const isPublic = ({ exportTo }: VirtualService): boolean => exportTo.includes("*");
  const exported = bound.filter((one) => !isPublic(one) && one.exportTo.includes(namespace));
  return [
    ...exported.filter(({ meta }) => meta.namespace === namespace),
    ...exported.filter(({ meta }) => meta.namespace !== namespace),
    ...bound.filter(isPublic),
  ];
}
