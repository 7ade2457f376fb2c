/** Why no listener of a Gateway takes a route that names it, in words. */
import type { HttpRouteResource, RouteParent } from "../api/gateway-api/http-route.ts";
import type {
  GatewayListenerSettings,
  KubernetesGateway,
} from "../api/gateway-api/kubernetes-gateway.ts";
import { quoted } from "../api/quoted.ts";
import { shortList } from "../api/short-list.ts";

/** @param gateways of the Gateway API, all of the mesh */
export function whyUnbound(
  { meta: { namespace: ofRoute } }: HttpRouteResource,
  { namespace = ofRoute, name, sectionName, port }: RouteParent,
  gateways: readonly KubernetesGateway[],
): string {
  const gateway = gateways.find(({ meta }) => meta.namespace === namespace && meta.name === name);
  if (gateway === undefined) return "there is no such Gateway of the Gateway API";
  const called = gateway.listeners.filter(
    (one) => sectionName === undefined || one.name === sectionName,
  );
  if (called.length === 0) {
    const names = shortList(gateway.listeners.map((one) => quoted(one.name)));
    return `sectionName is ${quoted(sectionName ?? "")}, and its listeners are ${names}`;
  }
  const meant = called.filter((one) => port === undefined || one.port === port);
  if (meant.length === 0) {
    const ports = shortList([...new Set(called.map((one) => String(one.port)))]);
    return `port is ${port}, and its listeners' is ${ports}`;
  }
  const carrying = meant.filter(({ protocol }) => protocol === "HTTP" || protocol === "HTTPS");
  if (carrying.length === 0) return "its listeners there carry no HTTP";
  return [
    ...new Set(carrying.map((listener) => whyNotAllowed(listener, { ofRoute, namespace }))),
  ].join("; ");
}

function whyNotAllowed(
  { name, allowedRoutes: { from, kinds } }: GatewayListenerSettings,
  { ofRoute, namespace }: { readonly ofRoute: string; readonly namespace: string },
): string {
  const listener = `listener ${quoted(name)}`;
  if (kinds.length > 0 && !kinds.includes("HTTPRoute")) {
    return `allowedRoutes.kinds of ${listener} leaves HTTPRoute out`;
  }
  switch (from) {
    case "Same":
      return `${listener} takes routes of namespace ${namespace} alone, as allowedRoutes.namespaces.from is Same unless it is written, and this one is of ${ofRoute}`;
    case "Selector":
      return `allowedRoutes.namespaces.selector of ${listener} does not select namespace ${ofRoute}`;
    default:
      return `allowedRoutes.namespaces.from of ${listener} is ${from}`;
  }
}
