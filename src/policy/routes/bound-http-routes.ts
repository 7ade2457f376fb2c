/** Which HTTPRoutes are bound to a listener of a Gateway: those that name it, and whose namespace it lets in. */
import { GATEWAY_GROUP } from "../../api/gateway-api/gateway-api-values.ts";
import type { HttpRouteResource } from "../../api/gateway-api/http-route.ts";
import type {
  GatewayListenerSettings,
  KubernetesGateway,
} from "../../api/gateway-api/kubernetes-gateway.ts";
import { selectsSet } from "../../api/set-selector.ts";
import type { MeshSnapshot } from "../mesh-snapshot.ts";

export interface ListenerOfGateway {
  readonly gateway: KubernetesGateway;
  readonly listener: GatewayListenerSettings;
}

/** The oldest first. */
export function boundHttpRoutes(
  { gatewayApi: { routes }, namespaceLabels }: Pick<MeshSnapshot, "gatewayApi" | "namespaceLabels">,
  place: ListenerOfGateway,
): readonly HttpRouteResource[] {
  if (!carriesHttp(place.listener)) return [];
  return routes.filter(
    (route) => names(route, place) && isAllowed(route, { ...place, namespaceLabels }),
  );
}

function carriesHttp({ protocol, allowedRoutes: { kinds } }: GatewayListenerSettings): boolean {
  const isHttp = protocol === "HTTP" || protocol === "HTTPS";
  return isHttp && (kinds.length === 0 || kinds.includes("HTTPRoute"));
}

function names(
  { parents, meta }: HttpRouteResource,
  { gateway, listener }: ListenerOfGateway,
): boolean {
  return parents.some(
    ({ group, kind, namespace = meta.namespace, name, sectionName, port }) =>
      group === GATEWAY_GROUP &&
      kind === "Gateway" &&
      namespace === gateway.meta.namespace &&
      name === gateway.meta.name &&
      (sectionName === undefined || sectionName === listener.name) &&
      (port === undefined || port === listener.port),
  );
}

/** By which every namespace has a label of its own name, whatever is written. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

function isAllowed(
  { meta: { namespace } }: HttpRouteResource,
  {
    gateway,
    listener: { allowedRoutes },
    namespaceLabels,
  }: ListenerOfGateway & Pick<MeshSnapshot, "namespaceLabels">,
): boolean {
  switch (allowedRoutes.from) {
    case "All":
      return true;
    case "None":
      return false;
    case "Same":
      return namespace === gateway.meta.namespace;
    case "Selector": {
      const labels = { ...namespaceLabels.get(namespace), [NAMESPACE_NAME]: namespace };
      return selectsSet(allowedRoutes.selector, labels);
    }
  }
}
