/** VirtualServices as sources of routes, with what the mesh says for all of them. */
import type { VirtualService } from "../../api/virtual-service.ts";
import type { MeshSnapshot } from "../mesh-snapshot.ts";
import type { RouteSource } from "./route-source.ts";
import { virtualServiceRoutes } from "./virtual-service-routes.ts";

export function meshRouteSources(
  { settings }: Pick<MeshSnapshot, "settings">,
  services: readonly VirtualService[],
): readonly RouteSource[] {
  return services.map((service) => virtualServiceRoutes(service, settings.defaultHttpRetries));
}
