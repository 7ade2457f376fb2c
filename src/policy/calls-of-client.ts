/**
 * Where a workload's own calls lead. All of a namespace may call the same and by the same rules, unless a rule or a route
 * asks who calls: what they share is made once, and is one object in the views of all.
 */
import { compileCredentials } from "./client-credentials.ts";
import { compileDestinationRules } from "./destination-rules.ts";
import { destinationSubsets } from "./destination-subsets.ts";
import { withListeners } from "./destinations.ts";
import type { GatewayView } from "./gateway-view.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { compileMeshRoutes, type MeshClient, type MeshRoutes } from "./routes/mesh-routes.ts";
import { namedSubsets, routesOfGateway } from "./routes/named-subsets.ts";
import { withDestinationRule } from "./with-destination-rule.ts";
import type { Workload } from "./workload.ts";
import type { Destination, Outbound } from "./workload-view.ts";

export interface ClientCalls {
  readonly outbound: Outbound;
  /** The destinations as the rules for the client want them called, without its listeners. */
  readonly reached: readonly Destination[];
}

/** @returns for one client after the other; of a gateway, with what it serves */
export function compileCalls(
  snapshot: MeshSnapshot,
): (client: MeshClient, gateway?: GatewayView) => ClientCalls {
  const meshRoutes = compileMeshRoutes(snapshot);
  const shared = new Map<string, WeakMap<MeshRoutes, ClientCalls>>();
  return (client, gateway) => {
    const routes = meshRoutes(client);
    const { workload } = client;
    if (gateway !== undefined || isSingular(snapshot, workload))
      return callsOf(snapshot, { ...client, routes, gateway });
    const ofNamespace = shared.get(workload.namespace) ?? new WeakMap<MeshRoutes, ClientCalls>();
    shared.set(workload.namespace, ofNamespace);
    const known = ofNamespace.get(routes) ?? callsOf(snapshot, { ...client, routes, gateway });
    ofNamespace.set(routes, known);
    return known;
  };
}

/** Whether its calls may differ from those of others in its namespace; what routes ask is in the routes themselves. */
function isSingular({ destinationRules }: MeshSnapshot, workload: Workload): boolean {
  const { namespace, httpProxy, outboundListeners } = workload;
  if (httpProxy !== undefined || outboundListeners.length > 0) return true;
  const own = destinationRules.get(namespace) ?? [];
  return own.some(({ workloadSelector }) => workloadSelector !== undefined);
}

function callsOf(
  snapshot: MeshSnapshot,
  {
    workload,
    destinations,
    routes: { virtualHosts, streamRoutes, ...own },
    gateway,
  }: MeshClient & { readonly routes: MeshRoutes; readonly gateway: GatewayView | undefined },
): ClientCalls {
  const ruleFor = compileDestinationRules(snapshot, workload);
  const credentials = compileCredentials(snapshot, workload);
  const reached = mapped(destinations, (each) =>
    withDestinationRule(each, ruleFor(each), credentials),
  );
  const named = gateway === undefined ? own.subsets : namedSubsets(routesOfGateway(gateway));
  const subsets = destinationSubsets(snapshot, named, { destinations, ruleFor, credentials });
  const { httpProxy } = workload;
  return {
    reached,
    outbound: {
      ...(httpProxy && { httpProxy }),
      destinations: withListeners(reached, workload),
      ...(subsets.length > 0 && { subsets }),
      ...(virtualHosts.length > 0 && { virtualHosts }),
      ...(streamRoutes.length > 0 && { streamRoutes }),
    },
  };
}

/** The same list where nothing in it becomes other: namespaces without rules of their own share it. */
function mapped(
  destinations: readonly Destination[],
  change: (destination: Destination) => Destination,
): readonly Destination[] {
  const changed = destinations.map(change);
  return changed.every((one, index) => one === destinations[index]) ? destinations : changed;
}
