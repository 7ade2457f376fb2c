/**
 * Where VirtualServices lead a request, so that a case is asked about the gateway, and the pod, that it means: found by the
 * product's own reading of routes.
 */
import { selects } from "../../../src/api/label-selector.ts";
import { parseResources } from "../../../src/api/parse-resources.ts";
import { MESH_GATEWAY } from "../../../src/api/virtual-service.ts";
import { ofKind } from "../../../src/policy/mesh-snapshot.ts";
import { boundVirtualServices } from "../../../src/policy/routes/bound-routes.ts";
import type { RouteContext } from "../../../src/policy/routes/route-source.ts";
import { compileRoutes } from "../../../src/policy/routes/route-table.ts";
import type { RouteDestination } from "../../../src/policy/routes/virtual-host.ts";
import { VirtualHostCollection } from "../../../src/policy/routes/virtual-hosts.ts";
import { virtualServiceRoutes } from "../../../src/policy/routes/virtual-service-routes.ts";
import { ofIstioKind, type RenderedPolicy } from "./rendered-policies.ts";
import type { EchoPod } from "./topology.ts";

export interface RoutedRequest {
  /** The gateway that has the request; absent: a sidecar. */
  readonly at?: EchoPod;
  readonly host: string;
  readonly path: string;
}

export interface RouteEnd {
  readonly namespace: string;
  readonly service: string;
  readonly port?: number;
  readonly subset?: string;
}

const GATEWAY_PORT = 80;

/** @returns undefined where no route is for the request */
export function virtualRoute(
  policies: readonly RenderedPolicy[],
  { at, host, path }: RoutedRequest,
): RouteEnd | undefined {
  const written = ["Gateway", "VirtualService"].flatMap((kind) => ofIstioKind(policies, kind));
  const text = written.map((policy) => JSON.stringify(policy)).join("\n---\n");
  const { resources } = parseResources(text, "case");
  const virtualServices = ofKind(resources, "VirtualService");
  const gateways =
    at === undefined
      ? [MESH_GATEWAY]
      : ofKind(resources, "Gateway")
          .filter(({ selector }) => selects(selector, at.labels))
          .map(({ meta }) => `${meta.namespace}/${meta.name}`);
  const hosts = new VirtualHostCollection();
  for (const gateway of gateways) {
    const context = contextOf(gateway, at);
    const { namespace } = context.client;
    for (const service of boundVirtualServices({ virtualServices }, { gateway, namespace })) {
      const source = virtualServiceRoutes(service);
      const { order } = source;
      const routes = source.httpRoutes(context);
      for (const domain of source.hosts) {
        hosts.add(domain, { key: `${gateway} ${source.key}`, order, routes });
      }
    }
  }
  const request = { method: "GET", path, authority: host, scheme: "http" } as const;
  const route = compileRoutes(hosts.virtualHosts)
    .hostOf(host)
    ?.find({ ...request, header: () => undefined });
  const [first] = route?.action.do === "forward" ? route.action.destinations : [];
  return first && endOf(first);
}

function contextOf(gateway: string, at: EchoPod | undefined): RouteContext {
  const client = { namespace: at?.namespace ?? "", labels: at?.labels ?? {} };
  const context = { gateway, client, portsOf: () => [] };
  return at === undefined ? context : { ...context, port: GATEWAY_PORT };
}

function endOf({ host, port, subset }: RouteDestination): RouteEnd {
  const [service = "", namespace = ""] = host.split(".");
  return { namespace, service, ...(port > 0 && { port }), ...(subset !== undefined && { subset }) };
}
