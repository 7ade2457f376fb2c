/** Whose routes a VirtualService holds: istiod marks those that it makes from the Gateway API, and demands less of them. */
import type { Labels } from "../resource.ts";

export type RouteSemantics = "istio" | "gateway-api";

export function routeSemantics(annotations: Labels): RouteSemantics {
  return annotations["internal.istio.io/route-semantics"] === "gateway" ? "gateway-api" : "istio";
}
